"""What Perfetto makes of a timeline: every event on its own track, and none of them lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
import torch

from iopt.partition.runtime.assembly import execution_of
from iopt.partition.runtime.execution import Execution
from iopt.partition.runtime.records import RankReport
from iopt.partition.runtime.schedule import schedule
from iopt.partition.runtime.trace import _microseconds, to_trace
from tests.partition.runtime.cases import Case, record, tiny_case
from tests.partition.runtime.perfetto import read

READERS: list[Callable[[float], int]] = [round, int]


def drawn_times(random: Random, count: int) -> list[tuple[float, float]]:
    """Steps one after the other, some of which take no time; the clock is one of its own, of a host that runs since
    weeks."""
    now, times = 2e6 + random.uniform(-3e-3, 3e-3), []
    for _ in range(count):
        begin = now + random.choice((0.0, random.uniform(0.0, 1e-5)))
        now = begin + random.choice((0.0, random.uniform(0.0, 3e-3)))
        times.append((begin, now))
    return times


def drawn_execution(case: Case, seed: int) -> Execution:
    steps, random = schedule(case.problem, case.plan), Random(seed)
    reports = [
        RankReport(device, 0, 0, [record(steps, device, drawn_times(random, len(steps.steps))) for _ in range(3)])
        for device in range(len(case.problem.cluster))
    ]
    return execution_of(case.problem, case.plan, torch.zeros(1), reports)


@pytest.fixture(scope="module")
def traces() -> list[str]:
    """Of any plan, and any times."""
    return [json.dumps(to_trace(drawn_execution(tiny_case(seed), seed))) for seed in range(150)]


@pytest.mark.parametrize("whole", READERS)
def test_no_event_is_lost(whole: Callable[[float], int], traces: list[str]) -> None:
    shown = adjacent = 0
    for trace in traces:
        slices = read(trace, whole)
        assert slices.keys() == {"predicted", "measured"}
        counts = [Counter({name: len(events) for name, events in tracks.items()}) for tracks in slices.values()]
        assert counts[0] == counts[1]
        assert sum(counts[0].values()) > 0
        shown += sum(counts[0].values())
        for events in slices["predicted"].values():
            adjacent += sum(one.end == other.begin for one, other in pairwise(events))
    assert shown > 1500
    assert adjacent > 300  # so that a nanosecond too many would show


def test_devices_do_one_thing_at_a_time(traces: list[str]) -> None:
    """Nothing is within another event, but for what takes no time."""
    for trace in traces:
        for tracks in read(trace).values():
            for events in tracks.values():
                lasting = [event for event in events if event.end > event.begin]
                assert all(one.end <= other.begin for one, other in pairwise(lasting))


def test_a_device_may_be_named_like_a_link() -> None:
    cases = (case for case in map(tiny_case, range(100)) if len(case.problem.cluster) == 3)
    case = next(case for case in cases if "d0 to d1" in json.dumps(to_trace(drawn_execution(case, 1))))
    named = tuple(
        replace(device, name=name)
        for device, name in zip(case.problem.cluster.devices, ("a", "b", "a to b"), strict=True)
    )
    problem = replace(case.problem, cluster=replace(case.problem.cluster, devices=named))
    events = to_trace(drawn_execution(replace(case, problem=problem), 1))["traceEvents"]
    tracks = {each["tid"] for each in events if each["name"] == "thread_name" and each["args"]["name"] == "a to b"}
    assert len(tracks) == 2 * len(("device", "link"))
    assert all(any(each["ph"] == "X" and each["tid"] == track for each in events) for track in tracks)


def test_readers_that_round_and_that_cut_off_find_the_same_nanosecond() -> None:
    random = Random(5)
    for count in [*range(3000), *(random.randrange(10 ** random.randrange(4, 15)) for _ in range(20_000))]:
        assert [whole(_microseconds(count) * 1000.0) for whole in READERS] == [count, count]
