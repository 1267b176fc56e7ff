"""A run as a Chrome trace, which Perfetto opens: predicted and measured as two processes, with a track for every device
and every link that carries something. Times are microseconds from the start of the inference.

The format is that of Google's "Trace Event Format": complete events (`X`) and metadata (`M`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from iopt.partition.runtime.emulation import Emulation
from iopt.partition.runtime.execution import Execution
from iopt.partition.runtime.records import Record
from iopt.partition.runtime.schedule import Exchange, Schedule, Transfer, schedule, step_name

Event = dict[str, Any]
PROCESSES = ("predicted", "measured")
"""With the numbers 1 and 2."""


def to_trace(execution: Execution) -> dict[str, Any]:
    """Of all inferences, that whose latency is nearest to the median.

    Predicted, a phase takes all of its links as long as the model says the phase takes, and begins when the slowest
    device is done. Measured, a device is in a phase from when it begins to send and receive until it has all; a link
    from when both of its ends have begun until the receiver has all. What was before the start is cut off: some devices
    are ready before the source is, and Perfetto drops events with negative times. Where clocks of hosts are less
    exact than a message is short, its time is 0.
    """
    steps = schedule(execution.problem, execution.plan)
    gaps = [abs(latency - execution.latency_s) for latency in execution.latencies_s]
    run = execution.records[gaps.index(min(gaps))]
    tracks = _tracks(steps)
    events = [*_named(tracks), *_predicted(execution, steps, tracks), *_measured(run, steps, tracks)]
    return {"traceEvents": events, "displayTimeUnit": "ms"}


def _tracks(steps: Schedule) -> dict[str, int]:
    """Number of each track by its name: the devices in order, then the links."""
    exchanges = [step for step in steps.steps if isinstance(step, Exchange)]
    links = sorted({(each.sender, each.receiver) for step in exchanges for each in step.transfers})
    names = [*steps.devices, *(_link(steps, sender, receiver) for sender, receiver in links)]
    return {name: number for number, name in enumerate(names, 1)}


def _link(steps: Schedule, sender: int, receiver: int) -> str:
    return f"{steps.devices[sender]} to {steps.devices[receiver]}"


def _named(tracks: dict[str, int]) -> Iterator[Event]:
    for process, what in enumerate(PROCESSES, 1):
        yield {"ph": "M", "name": "process_name", "pid": process, "tid": 0, "args": {"name": what}}
        for name, track in tracks.items():
            yield {"ph": "M", "name": "thread_name", "pid": process, "tid": track, "args": {"name": name}}
            yield {"ph": "M", "name": "thread_sort_index", "pid": process, "tid": track, "args": {"sort_index": track}}


def _predicted(execution: Execution, steps: Schedule, tracks: dict[str, int]) -> Iterator[Event]:
    emulations = [Emulation(execution.problem, device) for device in range(len(steps.devices))]
    phases = iter(execution.predicted.phases)
    now = 0.0
    for step in steps.steps:
        if isinstance(step, Exchange):
            if step.transfers:
                duration = next(phases).time_s
                for device in _taking_part(step):
                    yield _event(1, tracks[steps.devices[device]], step_name(step), now, duration)
                for transfer in step.transfers:
                    yield _carried(1, tracks, steps, step, transfer, now, duration)
                now += duration
        else:
            times = [emulation.compute_s(step) for emulation in emulations]
            for device, duration in enumerate(times):
                if step.shares[device] is not None:
                    yield _event(1, tracks[steps.devices[device]], step_name(step), now, duration)
            now += max(times)


def _measured(run: Sequence[Record], steps: Schedule, tracks: dict[str, int]) -> Iterator[Event]:
    start = run[steps.source].times_s[0][0]
    for number, step in enumerate(steps.steps):
        moments = (record.times_s[number] for record in run)
        times = [(max(0.0, begin - start), max(0.0, end - start)) for begin, end in moments]
        if isinstance(step, Exchange):
            active = _taking_part(step)
            for each in step.transfers:
                begin = max(times[each.sender][0], times[each.receiver][0])
                yield _carried(2, tracks, steps, step, each, begin, max(0.0, times[each.receiver][1] - begin))
        else:
            active = [device for device, share in enumerate(step.shares) if share is not None]
        for device in active:
            begin, end = times[device]
            yield _event(2, tracks[steps.devices[device]], step_name(step), begin, end - begin)


def _taking_part(step: Exchange) -> list[int]:
    return sorted({device for each in step.transfers for device in (each.sender, each.receiver)})


def _carried(
    process: int,
    tracks: dict[str, int],
    steps: Schedule,
    step: Exchange,
    transfer: Transfer,
    begin_s: float,
    duration_s: float,
) -> Event:
    track = tracks[_link(steps, transfer.sender, transfer.receiver)]
    return _event(process, track, step_name(step), begin_s, duration_s, {"bytes": step.bytes_of(transfer)})


def _event(
    process: int, track: int, name: str, begin_s: float, duration_s: float, more: dict[str, Any] | None = None
) -> Event:
    kind = name.partition(" ")[0]
    times = {"ts": begin_s * 1e6, "dur": duration_s * 1e6}
    return {"ph": "X", "name": name, "cat": kind, "pid": process, "tid": track, **times, "args": more or {}}
