"""What is differentiated: functions as users write them, their adjoints as careful authors do.

A hand-written adjoint is one function, forward then reverse, which keeps what the reverse pass
reads and no more. It returns the gradients as a tuple, as `gradient` does.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

# ---- a chain of 24 scalar operations


def chain(x, y):
    a = math.sin(x) * y
    b = math.exp(-a * a) + x
    c = math.log(1.0 + b * b)
    d = math.sqrt(c + y * y)
    e = math.tanh(d * x - c)
    h = e / (1.0 + d * d)
    return h * math.cos(b) + e * y - a / 2.0


def chain_by_hand(x, y):
    s = math.sin(x)
    a = s * y
    ex = math.exp(-a * a)
    b = ex + x
    b1 = 1.0 + b * b
    c = math.log(b1)
    d = math.sqrt(c + y * y)
    e = math.tanh(d * x - c)
    d1 = 1.0 + d * d
    h = e / d1
    h_bar = math.cos(b)
    e_bar = y + h_bar / d1
    t_bar = e_bar * (1.0 - e * e)
    d_bar = t_bar * x - h_bar * h / d1 * 2.0 * d
    q_bar = d_bar / (2.0 * d)
    c_bar = q_bar - t_bar
    b_bar = c_bar / b1 * 2.0 * b - h * math.sin(b)
    a_bar = -0.5 - b_bar * ex * 2.0 * a
    return t_bar * d + b_bar + a_bar * y * math.cos(x), e + 2.0 * q_bar * y + a_bar * s


# ---- scalar loops


def logistic(x, r, n):
    for _ in range(n):
        x = r * x * (1.0 - x)
    return x


def logistic_by_hand(x, r, n):
    tape = []
    for _ in range(n):
        tape.append(x)
        x = r * x * (1.0 - x)
    x_bar, r_bar = 1.0, 0.0
    for x in reversed(tape):
        r_bar += x_bar * x * (1.0 - x)
        x_bar = x_bar * r * (1.0 - 2.0 * x)
    return x_bar, r_bar, None


def pendulum(theta, omega, k, c, dt, n):
    for _ in range(n):
        omega = omega - dt * (k * math.sin(theta) + c * omega)
        theta = theta + dt * omega
    return theta * theta + omega * omega


def pendulum_by_hand(theta, omega, k, c, dt, n):
    tape = []
    for _ in range(n):
        s = math.sin(theta)
        a = k * s + c * omega
        tape.append((theta, omega, s, a))
        omega = omega - dt * a
        theta = theta + dt * omega
    tape.append(omega)
    theta_bar, omega_bar = 2.0 * theta, 2.0 * omega
    k_bar = c_bar = dt_bar = 0.0
    omega_next = tape.pop()
    for theta, omega, s, a in reversed(tape):
        omega_bar += dt * theta_bar
        a_bar = -dt * omega_bar
        dt_bar += theta_bar * omega_next - omega_bar * a
        k_bar += a_bar * s
        c_bar += a_bar * omega
        theta_bar += a_bar * k * math.cos(theta)
        omega_bar += a_bar * c
        omega_next = omega
    return theta_bar, omega_bar, k_bar, c_bar, dt_bar, None


def branches(x, a, n):
    total = 0.0
    for _ in range(n):
        if x > 1.0:
            x = a * math.sqrt(x)
        elif x > 0.5:
            x = x * x + a
        else:
            x = math.exp(x) - a * x
        total = total + x
    return total


def branches_by_hand(x, a, n):
    total, tape = 0.0, []
    for _ in range(n):
        x0 = x
        if x > 1.0:
            y = math.sqrt(x)
            x = a * y
        elif x > 0.5:
            y = 0.0
            x = x * x + a
        else:
            y = math.exp(x)
            x = y - a * x
        tape.append((x0, y))
        total = total + x
    x_bar = a_bar = 0.0
    for x, y in reversed(tape):
        x_bar += 1.0
        if x > 1.0:
            a_bar += x_bar * y
            x_bar = x_bar * a / (2.0 * y)
        elif x > 0.5:
            a_bar += x_bar
            x_bar = x_bar * 2.0 * x
        else:
            a_bar -= x_bar * x
            x_bar = x_bar * (y - a)
    return x_bar, a_bar, None


def pull(x, k):
    return -k * x * math.exp(-x * x)


def calls(x, v, k, n):
    for _ in range(n):
        v = v + 0.01 * pull(x, k)
        x = x + 0.01 * v
    return x * v


def calls_by_hand(x, v, k, n):
    tape = []
    for _ in range(n):
        e = math.exp(-x * x)
        tape.append((x, e))
        v = v + 0.01 * (-k * x * e)
        x = x + 0.01 * v
    x_bar, v_bar, k_bar = v, x, 0.0
    for x, e in reversed(tape):
        v_bar += 0.01 * x_bar
        p_bar = 0.01 * v_bar
        k_bar -= p_bar * x * e
        x_bar += p_bar * k * e * (2.0 * x * x - 1.0)
    return x_bar, v_bar, k_bar, None


# ---- small arrays


def small(x, w, b, n):
    for _ in range(n):
        h = np.tanh(w * x + b)
        x = x + 0.1 * (h - x)
    return np.sum(x * x)


def small_by_hand(x, w, b, n):
    tape = []
    for _ in range(n):
        h = np.tanh(w * x + b)
        tape.append((x, h))
        x = x + 0.1 * (h - x)
    x_bar = 2.0 * x
    w_bar, b_bar = np.zeros_like(w), np.zeros_like(b)
    for x, h in reversed(tape):
        t_bar = 0.1 * x_bar
        z_bar = t_bar * (1.0 - h * h)
        w_bar += z_bar * x
        b_bar += z_bar
        x_bar = x_bar - t_bar + z_bar * w
    return x_bar, w_bar, b_bar, None


# ---- arrays


def mlp(w1, b1, w2, b2, x, labels):
    h = np.tanh(x @ w1 + b1)
    z = h @ w2 + b2
    z = z - np.max(z, axis=1, keepdims=True)
    log_p = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    return -np.mean(np.sum(labels * log_p, axis=1))


def mlp_by_hand(w1, b1, w2, b2, x, labels):
    h = np.tanh(x @ w1 + b1)
    z = h @ w2 + b2
    z = z - np.max(z, axis=1, keepdims=True)
    e = np.exp(z)
    s = np.sum(e, axis=1, keepdims=True)
    z_bar = (e / s * np.sum(labels, axis=1, keepdims=True) - labels) / len(x)
    a_bar = (z_bar @ w2.T) * (1.0 - h * h)
    return x.T @ a_bar, np.sum(a_bar, axis=0), h.T @ z_bar, np.sum(z_bar, axis=0)


def mixture(alphas, means, scales, x):
    z = (x[:, None, :] - means) * np.exp(-scales)
    terms = alphas - np.sum(scales, axis=1) - 0.5 * np.sum(z * z, axis=2)
    top = np.max(terms, axis=1, keepdims=True)
    inner = np.log(np.sum(np.exp(terms - top), axis=1)) + top[:, 0]
    return np.sum(inner) - len(x) * np.log(np.sum(np.exp(alphas)))


def mixture_by_hand(alphas, means, scales, x):
    inv = np.exp(-scales)
    z = (x[:, None, :] - means) * inv
    terms = alphas - np.sum(scales, axis=1) - 0.5 * np.sum(z * z, axis=2)
    e = np.exp(terms - np.max(terms, axis=1, keepdims=True))
    p = e / np.sum(e, axis=1, keepdims=True)
    weight = np.sum(p, axis=0)
    ea = np.exp(alphas)
    alphas_bar = weight - len(x) * ea / np.sum(ea)
    pz = p[:, :, None] * z
    means_bar = np.sum(pz, axis=0) * inv
    scales_bar = np.sum(pz * z, axis=0) - weight[:, None]
    return alphas_bar, means_bar, scales_bar


def heat(u, k, n):
    for _ in range(n):
        inner = u[1:-1] + k * (u[2:] - 2.0 * u[1:-1] + u[:-2])
        u = np.concatenate([u[:1], inner, u[-1:]])
    return np.sum(u * u)


def heat_by_hand(u, k, n):
    tape = []
    for _ in range(n):
        bend = u[2:] - 2.0 * u[1:-1] + u[:-2]
        tape.append(bend)
        u = np.concatenate([u[:1], u[1:-1] + k * bend, u[-1:]])
    u_bar, k_bar = 2.0 * u, 0.0
    for bend in reversed(tape):
        inner = u_bar[1:-1]
        k_bar += inner @ bend
        bend_bar = k * inner
        inner -= 2.0 * bend_bar
        u_bar[2:] += bend_bar
        u_bar[:-2] += bend_bar
    return u_bar, float(k_bar), None


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def rosenbrock_by_hand(x):
    first = x[:-1]
    r_bar = 200.0 * (x[1:] - first**2)
    x_bar = np.zeros_like(x)
    x_bar[1:] = r_bar
    x_bar[:-1] -= 2.0 * (r_bar * first + 1.0 - first)
    return (x_bar,)


def linear(a, b):
    _, logdet = np.linalg.slogdet(a)
    y = np.linalg.solve(a, b)
    return logdet + y @ y


def linear_by_hand(a, b):
    np.linalg.slogdet(a)
    y = np.linalg.solve(a, b)
    b_bar = np.linalg.solve(a.T, 2.0 * y)
    return np.linalg.inv(a).T - np.outer(b_bar, y), b_bar


# ---- the list


@dataclass(frozen=True)
class Workload:
    """Timed with `args`, verified against finite differences with `small`.

    `wrt`: differentiated in the first so many arguments, or in all.
    """

    title: str
    primal: Callable[..., Any]
    hand: Callable[..., Any]
    args: tuple[Any, ...]
    small: tuple[Any, ...]
    wrt: int | None = None


def workloads() -> dict[str, Workload]:
    rng = np.random.default_rng(0)

    def normal(*shape):
        return rng.standard_normal(shape)

    def layers(inputs, hidden, outputs, batch):
        labels = np.eye(outputs)[rng.integers(0, outputs, batch)]
        first = (0.05 * normal(inputs, hidden), 0.1 * normal(hidden))
        return *first, 0.2 * normal(hidden, outputs), normal(outputs), normal(batch, inputs), labels

    def clusters(k, d, n):
        return normal(k), normal(k, d), 0.1 * normal(k, d), normal(n, d)

    def system(n):
        return normal(n, n) + n * np.eye(n), normal(n)

    vectors = (0.1 * normal(8), normal(8), normal(8))
    at = (0.5, 0.1, 9.8, 0.3, 1e-3)
    return {
        "chain": Workload("scalar chain, 24 ops", chain, chain_by_hand, (0.7, 1.3), (0.7, 1.3)),
        "logistic3": Workload(
            "logistic loop, 10³", logistic, logistic_by_hand, (0.3, 3.5699, 10**3), (0.3, 3.5699, 9)
        ),
        "logistic4": Workload(
            "logistic loop, 10⁴", logistic, logistic_by_hand, (0.3, 3.5699, 10**4), (0.3, 3.5699, 9)
        ),
        "pendulum": Workload(
            "pendulum, 10³ steps", pendulum, pendulum_by_hand, (*at, 1000), (*at, 20)
        ),
        "branches": Workload(
            "branches in a loop, 10³", branches, branches_by_hand, (0.3, 0.4, 1000), (0.3, 0.4, 9)
        ),
        "calls": Workload(
            "calls in a loop, 10³", calls, calls_by_hand, (0.5, 0.2, 1.5, 1000), (0.5, 0.2, 1.5, 9)
        ),
        "small": Workload(
            "length-8 vectors, 10³ steps", small, small_by_hand, (*vectors, 1000), (*vectors, 5)
        ),
        "mlp": Workload(
            "MLP 784-128-10, batch 64",
            mlp,
            mlp_by_hand,
            layers(784, 128, 10, 64),
            layers(5, 4, 3, 2),
            4,
        ),
        "mixture": Workload(
            "Gaussian mixture, 1000×2, 25",
            mixture,
            mixture_by_hand,
            clusters(25, 2, 1000),
            clusters(3, 2, 5),
            3,
        ),
        "heat": Workload(
            "1-D heat, n = 10³, 100 steps",
            heat,
            heat_by_hand,
            (normal(1000), 0.2, 100),
            (normal(9), 0.2, 5),
        ),
        "rosenbrock": Workload(
            "Rosenbrock, n = 10⁵", rosenbrock, rosenbrock_by_hand, (normal(10**5),), (normal(7),)
        ),
        "linear": Workload(
            "logdet + solve, n = 100", linear, linear_by_hand, system(100), system(4)
        ),
    }


def under(module: Any, f: Callable[..., Any]) -> Callable[..., Any]:
    """The function, and those it calls, with another module in the place of NumPy and `math`."""
    scope = dict(globals())
    for name, x in globals().items():
        if isinstance(x, types.FunctionType) and x.__module__ == __name__:
            scope[name] = types.FunctionType(x.__code__, scope, name, x.__defaults__)
    scope.update(np=module, math=module)
    found: Callable[..., Any] = scope[f.__name__]
    return found
