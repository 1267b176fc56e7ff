"""Times on a busy machine: what disturbs some of them is not in what is kept, and what never settles is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, cycle, repeat
from types import SimpleNamespace

import pytest

from iopt.partition.runtime import timing

Takes = Callable[[Iterator[float]], Callable[[], None]]


@pytest.fixture
def takes(monkeypatch: pytest.MonkeyPatch) -> Takes:
    """Actions that take, on the clock that is read, the seconds that they are given, one after the other."""
    now = [0.0]
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    def action(seconds: Iterator[float]) -> Callable[[], None]:
        def run() -> None:
            now[0] += next(seconds)

        return run

    return action


def test_one_disturbance_leaves_no_trace() -> None:
    found = timing.quickest([1.0, 702.0, 1.1, 1.0, 1.05], 3)
    assert found == (1.0, pytest.approx(0.05))
    assert found.is_settled
    assert timing.quickest([1.0, 702.0, 1.1], 3).scatter == pytest.approx(701)


def test_sizes_that_scatter_are_timed_again_until_they_settle(takes: Takes) -> None:
    taken = []
    quiet = takes(repeat(1.0))
    # the first is not counted; most are preempted, and the fourth that is not comes as the sixteenth
    disturbed = takes(chain([9.0], cycle([2.0, 700.0, 40.0, 5.0, 90.0])))
    found = timing.timed([quiet, disturbed], 4, lambda: taken.append(None))
    assert found == [(pytest.approx(1.0), pytest.approx(0.0)), (pytest.approx(2.0), pytest.approx(0.0))]
    assert len(taken) == (1 + timing.FEWEST * 4) + (1 + 16)


def test_times_that_never_settle_end_and_are_said(takes: Takes) -> None:
    taken = []
    (found,) = timing.timed([takes(map(float, (2**number for number in range(100))))], 3, lambda: taken.append(None))
    assert len(taken) == 1 + timing.MOST * 3
    assert not found.is_settled
    assert found.time_s == pytest.approx(4.0)


def test_actions_take_turns() -> None:
    order: list[str] = []
    timing.timed([lambda: order.append("a"), lambda: order.append("b")], 1, lambda: None)
    assert order == ["a", "b"] * (1 + timing.FEWEST)


def test_quartiles_of_few_times() -> None:
    assert timing.spread([1.0, 2.0, 4.0, 5.0, 600.0]) == pytest.approx(1.5)
    assert timing.spread([3.0, 3.0]) == 0
