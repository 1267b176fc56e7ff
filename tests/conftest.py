"""What tests of all parts share."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture
def hangups_end() -> Iterator[None]:
    """A hang-up ends this process and those it starts, also where whoever started the tests ignores it (`nohup`)."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)
