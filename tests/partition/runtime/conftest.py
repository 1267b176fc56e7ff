"""No test here may wait for ever for processes that it starts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.partition.runtime.faults import limited

LONGEST_S = 300


@pytest.fixture(autouse=True)
def _in_time() -> Iterator[None]:
    with limited(LONGEST_S):
        yield
