"""A run as a Chrome trace, which Perfetto opens: predicted and measured as two processes, with a track for every device
and every link that carries something.

The format is that of Google's "Trace Event Format": complete events (`X`) and metadata (`M`), in microseconds from the
start of the inference. Perfetto counts in whole nanoseconds, and an event that reaches but one of them into the next of
its track is taken out of it: so all begins and ends are whole nanoseconds here. Some of its versions know a track by
its number alone, whatever the process, and take one with its process's number for the main one: all numbers differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, nextafter
from typing import Any

from iopt.partition.runtime.emulation import Emulation
from iopt.partition.runtime.execution import Execution
from iopt.partition.runtime.records import Record
from iopt.partition.runtime.schedule import Exchange, Schedule, Step, Transfer, schedule, step_name

Event = dict[str, Any]
Track = tuple[int, ...]
"""A device, or sender and receiver of a link."""
PROCESSES = ("predicted", "measured")
"""With the numbers 1 and 2."""


def to_trace(execution: Execution) -> dict[str, Any]:
    """Of all inferences, that whose latency is nearest to the median.

    Predicted, a phase takes all of its links as long as the model says the phase takes, and begins when the slowest
    device is done. Measured, a device is in a phase from when it begins to send and receive until it has all; a link
    from when both of its ends have begun until the receiver has all. The sink's last event ends at the latency; those
    of others may end after it: when what they sent has gone, and they are woken. What was before the start is cut off:
    some devices are ready before the source is, and Perfetto drops events with negative times. Where clocks of hosts
    are less exact than a message is short, its time is 0.
    """
    steps = schedule(execution.problem, execution.plan)
    gaps = [abs(latency - execution.latency_s) for latency in execution.latencies_s]
    run = execution.records[gaps.index(min(gaps))]
    predicted, measured = _processes(steps)
    events = [*predicted.named(steps), *measured.named(steps)]
    events += [*_predicted(execution, steps, predicted), *_measured(run, steps, measured)]
    return {"traceEvents": events, "displayTimeUnit": "ms"}


@dataclass(frozen=True)
class _Process:
    """`tracks`: their numbers; the devices in order, then the links."""

    number: int
    tracks: dict[Track, int]

    def named(self, steps: Schedule) -> Iterator[Event]:
        """Names of the process and its tracks, and their places."""
        yield self._about("process", 0, "name", PROCESSES[self.number - 1])
        yield self._about("process", 0, "sort_index", self.number)
        for track, number in self.tracks.items():
            yield self._about("thread", number, "name", " to ".join(steps.devices[device] for device in track))
            yield self._about("thread", number, "sort_index", number)

    def _about(self, what: str, track: int, key: str, value: str | int) -> Event:
        return {"ph": "M", "name": f"{what}_{key}", "pid": self.number, "tid": track, "args": {key: value}}

    def event(
        self, track: Track, step: Step, begin_s: float, end_s: float, more: dict[str, int] | None = None
    ) -> Event:
        name, begin = step_name(step), _nanoseconds(begin_s)
        times = {"ts": _microseconds(begin), "dur": _microseconds(_nanoseconds(end_s) - begin)}
        place = {"pid": self.number, "tid": self.tracks[track]}
        return {"ph": "X", "name": name, "cat": name.partition(" ")[0], **place, **times, "args": more or {}}

    def carried(self, transfer: Transfer, step: Exchange, begin_s: float, end_s: float) -> Event:
        """On the link's track, with its bytes."""
        track = (transfer.sender, transfer.receiver)
        return self.event(track, step, begin_s, end_s, {"bytes": step.bytes_of(transfer)})


def _processes(steps: Schedule) -> Iterator[_Process]:
    exchanges = [step for step in steps.steps if isinstance(step, Exchange)]
    links = sorted({(each.sender, each.receiver) for step in exchanges for each in step.transfers})
    tracks: list[Track] = [*((device,) for device in range(len(steps.devices))), *links]
    for index in range(len(PROCESSES)):
        first = len(PROCESSES) + 1 + index * len(tracks)
        yield _Process(index + 1, {track: number for number, track in enumerate(tracks, first)})


def _predicted(execution: Execution, steps: Schedule, process: _Process) -> Iterator[Event]:
    emulations = [Emulation(execution.problem, device) for device in range(len(steps.devices))]
    phases = iter(execution.predicted.phases)
    now = 0.0
    for step in steps.steps:
        if isinstance(step, Exchange):
            if step.transfers:
                end = now + next(phases).time_s
                for device in _taking_part(step):
                    yield process.event((device,), step, now, end)
                for transfer in step.transfers:
                    yield process.carried(transfer, step, now, end)
                now = end
        else:
            ends = [now + emulation.compute_s(step) for emulation in emulations]
            for device, end in enumerate(ends):
                if step.shares[device] is not None:
                    yield process.event((device,), step, now, end)
            now = max(ends)


def _measured(run: Sequence[Record], steps: Schedule, process: _Process) -> Iterator[Event]:
    start = run[steps.source].times_s[0][0]
    for number, step in enumerate(steps.steps):
        moments = (record.times_s[number] for record in run)
        times = [(max(0.0, begin - start), max(0.0, end - start)) for begin, end in moments]
        if isinstance(step, Exchange):
            active = _taking_part(step)
            for each in step.transfers:
                begin = max(times[each.sender][0], times[each.receiver][0])
                yield process.carried(each, step, begin, max(begin, times[each.receiver][1]))
        else:
            active = [device for device, share in enumerate(step.shares) if share is not None]
        for device in active:
            yield process.event((device,), step, *times[device])


def _taking_part(step: Exchange) -> list[int]:
    return sorted({device for each in step.transfers for device in (each.sender, each.receiver)})


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)


def _microseconds(nanoseconds: int) -> float:
    """As a number of which a thousand times are found to be so many, whether a reader rounds or cuts off."""
    value = nanoseconds / 1000
    return value if int(value * 1000) == nanoseconds else nextafter(value, inf)
