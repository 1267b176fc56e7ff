"""No test here may wait for ever for processes that it starts, and some need a port."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.partition.runtime.faults import limited

LONGEST_S = 300


@pytest.fixture(autouse=True)
def _in_time() -> Iterator[None]:
    with limited(LONGEST_S):
        yield


@pytest.fixture
def port() -> Iterator[int]:
    """One that nobody listens at, unless somebody takes it meanwhile."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = int(probe.getsockname()[1])
    yield number
