"""A Chrome trace as Perfetto's importer of JSON reads it, by what it documents and does: times in whole nanoseconds,
tracks by number, events of a track that nest. Nothing of it is forgiven here that it counts as an error."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

LARGEST = 2**32 - 1
"""Number of a process or a track."""
TITLES = {"process_name": str, "thread_name": str, "process_sort_index": int, "thread_sort_index": int}


class Slice(NamedTuple):
    """An event on its track, in nanoseconds."""

    name: str
    begin: int
    end: int


Slices = dict[str, dict[str, list[Slice]]]
"""By process, by track."""


def read(text: str, whole: Callable[[float], int] = round) -> Slices:
    """Raises `AssertionError` for what the importer drops, or shows on another track. `whole`: how it comes to whole
    nanoseconds; it rounds, and in earlier versions cut off."""
    trace = json.loads(text, parse_constant=_no_number)
    assert trace["displayTimeUnit"] in {"ms", "ns"}
    processes, tracks = _names(trace["traceEvents"])
    found: dict[int, list[Slice]] = defaultdict(list)
    for event in trace["traceEvents"]:
        if event["ph"] == "X":
            begin, duration = (_nanoseconds(event[key], whole) for key in ("ts", "dur"))
            assert event["name"] and event["cat"], event
            assert event["tid"] in tracks, f"a track without a name: {event}"
            assert event["pid"] == tracks[event["tid"]][0], f"a track of two processes: {event}"
            found[event["tid"]].append(Slice(event["name"], begin, begin + duration))
    slices: Slices = {name: {} for name in processes.values()}
    for number, (process, name) in tracks.items():
        assert name not in slices[processes[process]], f"two tracks are {name}"
        slices[processes[process]][name] = _nested(found[number])
    return slices


def _no_number(text: str) -> float:
    raise AssertionError(f"{text} is no JSON")


def _nanoseconds(value: float, whole: Callable[[float], int]) -> int:
    assert isinstance(value, int | float) and math.isfinite(value) and value >= 0, value
    return whole(value * 1000.0)


def _names(events: list[dict[str, Any]]) -> tuple[dict[int, str], dict[int, tuple[int, str]]]:
    """Of processes by number, and of tracks with the number of their process."""
    processes: dict[int, str] = {}
    tracks: dict[int, tuple[int, str]] = {}
    for event in events:
        assert event["ph"] in {"X", "M"}
        assert all(type(event[key]) is int and 0 <= event[key] <= LARGEST for key in ("pid", "tid")), event
        assert event["pid"] > 0, "the number of the idle process"
        if event["ph"] == "X":
            continue
        (value,) = event["args"].values()
        assert type(value) is TITLES[event["name"]], event
        if event["name"] == "process_name":
            assert event["pid"] not in processes
            processes[event["pid"]] = value
        if event["name"] == "thread_name":
            assert event["tid"] not in tracks, "two tracks of one number"
            tracks[event["tid"]] = event["pid"], value
    assert len({*processes.values()}) == len(processes)
    assert not {0, *processes} & tracks.keys(), "a track with the number of a process is its main one"
    return processes, tracks


def _nested(slices: list[Slice]) -> list[Slice]:
    """In order of time, as they came where times are equal."""
    ordered = sorted(slices, key=lambda each: each.begin)
    open_: list[Slice] = []
    for each in ordered:
        while open_ and open_[-1].end <= each.begin:
            open_.pop()
        for other in open_:
            assert each.end <= other.end, f"{each} begins within {other} and ends after it"
        open_.append(each)
    return ordered
