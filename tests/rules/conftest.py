"""Random data that does not depend on which tests ran before; the table of checked rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from . import table
from .checks import reseed, scipy_before

ran: Counter[str] = Counter()


def pytest_collectstart(collector: pytest.Collector) -> None:
    if isinstance(collector, pytest.Module):  # data that a file makes when it is imported
        reseed(collector.path.name)


@pytest.fixture(autouse=True)
def _own_numbers(request: pytest.FixtureRequest) -> None:
    reseed(request.node.name)
    ran[request.path.name] += 1


@pytest.fixture(autouse=True, scope="module")
def _same_as_the_table(request: pytest.FixtureRequest) -> Iterator[None]:
    """A file of tests that ran as a whole has checked what the table says, no more and no less."""
    file = request.path.name
    ran[file] = 0
    table.checked_now[file] = set()
    table.current = file
    yield
    whole = ran[file] == sum(item.path.name == file for item in request.session.items)
    chosen = request.config.getoption("-k") or any("::" in a for a in request.config.args)
    update = request.config.getoption("--update-golden")
    if not whole or chosen or (request.session.testsfailed and not update):
        return
    found = table.checked_now[file]
    if update:
        table.write(file, found)
    if scipy_before(1, 17):  # its modules have other names
        return
    # Releases of NumPy differ in the names that they have.
    told = table.table().get(file, set()) & set(table.rules())
    assert told == found & set(table.rules()), "run it with --update-golden"
