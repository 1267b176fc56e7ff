"""The timeline is in the format that its readers expect, and says what was predicted and what was measured."""

from __future__ import annotations

import json
from dataclasses import replace
from statistics import median
from typing import Any

import pytest
import torch

from iopt.errors import ContradictionError
from iopt.partition.evaluation import Evaluator
from iopt.partition.runtime.assembly import execution_of
from iopt.partition.runtime.execution import Execution
from iopt.partition.runtime.records import RankReport, Record
from iopt.partition.runtime.schedule import schedule, step_name
from iopt.partition.runtime.trace import to_trace
from tests.partition.runtime.cases import record, tiny_case
from tests.partition.runtime.test_failures import PLAN, PROBLEM

STEP_S, CLOCK_S = 1e-3, 5.0
Event = dict[str, Any]


def executed(slower: tuple[float, ...] = (1.0, 3.0, 2.0)) -> Execution:
    """Three inferences, each of whose steps takes one time on all devices; the clock does not start at 0."""
    steps = schedule(PROBLEM, PLAN)
    times = [
        [
            (CLOCK_S + number * factor * STEP_S, CLOCK_S + (number + 1) * factor * STEP_S)
            for number in range(len(steps.steps))
        ]
        for factor in slower
    ]
    reports = [RankReport(device, 0, 0, [record(steps, device, each) for each in times]) for device in range(3)]
    return execution_of(PROBLEM, PLAN, torch.zeros(1), reports)


def events_of(trace: dict[str, Any], process: str) -> dict[str, list[Event]]:
    """Complete events by the name of their track."""
    named = [event for event in trace["traceEvents"] if event["ph"] == "M"]
    (pid,) = {e["pid"] for e in named if e["name"] == "process_name" and e["args"]["name"] == process}
    tracks = {e["tid"]: e["args"]["name"] for e in named if e["name"] == "thread_name" and e["pid"] == pid}
    found: dict[str, list[Event]] = {name: [] for name in tracks.values()}
    for event in trace["traceEvents"]:
        if event["ph"] == "X" and event["pid"] == pid:
            found[tracks[event["tid"]]].append(event)
    return found


def test_every_event_has_what_the_format_asks_for() -> None:
    trace = json.loads(json.dumps(to_trace(executed()), allow_nan=False))
    assert trace["displayTimeUnit"] == "ms"
    for event in trace["traceEvents"]:
        assert event["ph"] in {"X", "M"}
        assert isinstance(event["name"], str)
        assert isinstance(event["pid"], int)
        assert isinstance(event["tid"], int)
        assert isinstance(event["args"], dict)
        if event["ph"] == "X":
            assert event["ts"] >= 0
            assert event["dur"] >= 0
        else:
            assert event["name"] in {"process_name", "process_sort_index", "thread_name", "thread_sort_index"}


def test_predicted_and_measured_have_the_same_tracks_and_the_same_events() -> None:
    trace = to_trace(executed())
    predicted, measured = (events_of(trace, process) for process in ("predicted", "measured"))
    links = {name for name in predicted if " to " in name}
    assert predicted.keys() == measured.keys() == {"d0", "d1", "d2"} | links
    assert {"d0 to d1", "d1 to d0", "d1 to d2"} <= links
    for name, events in predicted.items():
        assert sorted(e["name"] for e in events) == sorted(e["name"] for e in measured[name])
        assert events
        assert ("compute of 'op2'" in {e["name"] for e in events}) == (name not in links)
        for link in (events, measured[name]) if name in links else ():
            assert sum(e["args"]["bytes"] for e in link) > 0


def test_predicted_times_are_the_evaluators() -> None:
    tracks = events_of(to_trace(executed()), "predicted")
    evaluation = Evaluator(PROBLEM)(PLAN)
    by_name = {event["name"]: event for events in tracks.values() for event in events}
    assert max(e["ts"] + e["dur"] for e in by_name.values()) == pytest.approx(evaluation.latency_s * 1e6)
    for operator, seconds in zip(PROBLEM.operators, evaluation.compute_by_operator_s, strict=True):
        shares = [
            e["dur"] for events in tracks.values() for e in events if e["name"] == f"compute of {operator.name!r}"
        ]
        assert max(shares) == pytest.approx(seconds * 1e6)
    moved = sum(e["args"]["bytes"] for name, events in tracks.items() if " to " in name for e in events)
    assert moved == evaluation.bytes
    assert by_name["output of 'op7'"]["dur"] == pytest.approx(evaluation.phases[-1].time_s * 1e6)


def test_bytes_are_compared_in_every_inference() -> None:
    """In the second one a message has lost a byte, on both ends."""
    found = executed()
    first, second, third = found.records
    number = next(index for index, phase in enumerate(second[0].sent) if phase)
    peer = next(iter(second[0].sent[number]))

    def less(record: Record, end: str, other: int) -> Record:
        phases = [dict(phase) for phase in getattr(record, end)]
        phases[number][other] -= 1
        return replace(record, **{end: phases})

    changed = [*second]
    changed[0], changed[peer] = less(second[0], "sent", peer), less(second[peer], "received", 0)
    reports = [
        RankReport(rank, 0, 0, [*records]) for rank, records in enumerate(zip(first, changed, third, strict=True))
    ]
    with pytest.raises(ContradictionError, match=f"exchange {number}: not all inferences moved"):
        execution_of(PROBLEM, PLAN, torch.zeros(1), reports)


def test_measured_times_are_those_of_the_middle_inference_from_its_start() -> None:
    found = executed()
    assert median(found.latencies_s) == pytest.approx(2 * STEP_S * len(schedule(PROBLEM, PLAN).steps))
    names = [step_name(step) for step in schedule(PROBLEM, PLAN).steps]
    for events in events_of(to_trace(found), "measured").values():
        for event in events:
            assert event["ts"] == pytest.approx(2 * STEP_S * 1e6 * names.index(event["name"]), abs=1e-3)
            assert event["dur"] == pytest.approx(2 * STEP_S * 1e6)


def test_a_link_is_busy_from_when_both_ends_are_ready() -> None:
    """Device 0 is late in everything: whoever it sends to has waited for it."""
    found = executed((1.0,))
    ((first, *others),) = found.records
    late = replace(first, times_s=[(begin + STEP_S / 4, end) for begin, end in first.times_s])
    trace = to_trace(replace(found, records=((late, *others),)))
    for name, events in events_of(trace, "measured").items():
        durations = [event["dur"] for event in events if event["ts"] > 0]
        expected = 0.75 if "d0" in name else 1.0
        assert durations == pytest.approx([expected * STEP_S * 1e6] * len(durations))


def test_nothing_is_before_the_start() -> None:
    """The sink waits since before the source began; with clocks of its own it might even seem to be done before."""
    found = executed((1.0,))
    ((first, second, sink),) = found.records
    for early_s in (STEP_S / 4, 3 * STEP_S):
        early = replace(sink, times_s=[(begin - early_s, end - early_s) for begin, end in sink.times_s])
        trace = to_trace(replace(found, records=((first, second, early),)))
        events = [event for events in events_of(trace, "measured").values() for event in events]
        assert min(event["ts"] for event in events) == 0
        assert min(event["dur"] for event in events) >= 0
        assert max(event["ts"] + event["dur"] for event in events) > 0


def test_the_sink_ends_at_the_latency_and_others_when_they_have_sent() -> None:
    found = executed((1.0, 3.0))
    runs = [
        (first, replace(second, times_s=[*second.times_s[:-1], (begin, end + STEP_S)]), sink)
        for first, second, sink in found.records
        for begin, end in second.times_s[-1:]
    ]
    measured = events_of(to_trace(replace(found, records=tuple(runs))), "measured")
    ends = {name: max(event["ts"] + event["dur"] for event in events) for name, events in measured.items()}
    sink_s, other_s = ends["d2"] * 1e-6, ends["d1"] * 1e-6
    assert sink_s == pytest.approx(found.latencies_s[0])
    assert sink_s < found.latency_s
    assert other_s == pytest.approx(sink_s + STEP_S)


def test_any_plan_has_a_timeline() -> None:
    for seed in range(40):
        case = tiny_case(seed)
        steps = schedule(case.problem, case.plan)
        times = [(number, number + 1.0) for number in range(len(steps.steps))]
        devices = range(len(case.problem.cluster))
        reports = [RankReport(device, 0, 0, [record(steps, device, times)]) for device in devices]
        found = execution_of(case.problem, case.plan, torch.zeros(1), reports)
        predicted = events_of(to_trace(found), "predicted")
        ends = [event["ts"] + event["dur"] for events in predicted.values() for event in events]
        assert max(ends) == pytest.approx(found.predicted.latency_s * 1e6)
