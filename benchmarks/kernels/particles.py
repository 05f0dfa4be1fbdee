"""Particles that move in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from .inputs import uniform


def nbody(position: Any, velocity: Any, mass: Any, steps: int) -> Any:
    """Leapfrog under gravity, softened."""
    dt = 0.01
    force = np.zeros_like(position)
    for step in range(steps + 1):
        for i in range(len(mass)):
            between = position - position[i]
            distance = np.sum(between**2, axis=1) + 0.1
            force[i] = (mass * distance**-1.5) @ between
        velocity += force * (dt if 0 < step < steps else 0.5 * dt)
        if step < steps:
            position += velocity * dt
    return np.sum(position**2) + np.sum(velocity**2 * mass[:, np.newaxis])


def springs(position: Any, velocity: Any, stiffness: float, steps: int) -> Any:
    """A chain of springs, its forces gathered by `np.add.at`."""
    left, right = np.arange(len(position) - 1), np.arange(1, len(position))
    for _ in range(steps):
        force = np.zeros_like(position)
        pull = stiffness * (position[right] - position[left] - 0.5)
        np.add.at(force, left, pull)
        np.subtract.at(force, right, pull)
        velocity += 0.1 * force
        position[1:] += 0.1 * velocity[1:]
    return np.sum(position**2)


def wave_two_buffers(old: Any, now: Any, speed: float, steps: int) -> Any:
    """The wave equation with two buffers that change places at each step."""
    for _ in range(steps):
        old[1:-1] = 2.0 * now[1:-1] - old[1:-1] + speed * (now[2:] - 2.0 * now[1:-1] + now[:-2])
        old, now = now, old
    return np.sum(now**2)


INPUTS = {
    nbody: lambda n: (uniform(n, 3), uniform(n, 3, seed=1), uniform(n), 2),
    springs: lambda n: (uniform(n), uniform(n, seed=1), 0.7, 3),
    wave_two_buffers: lambda n: (uniform(n), uniform(n, seed=1), 0.3, 3),
}
