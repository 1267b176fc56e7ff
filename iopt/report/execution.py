"""A plan that was carried out beside what was predicted: a line per operator and phase, then a line per device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iopt.partition.runtime.execution import MODELS, Execution, MeasuredPhase
from iopt.report.console import print_table
from iopt.report.style import table
from iopt.report.units import milliseconds, size

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def print_execution(console: Console, found: Execution) -> None:
    """Phases and compute, parameters, latency, and the difference from the unsplit network where it was measured."""
    problem = found.problem
    print_table(console, phases_table(found))
    console.print(_rows_text(found))
    print_table(console, devices_table(found))
    console.print("peak by the memory models live and runtime, and measured at PyTorch's allocator")
    if not found.is_lean:
        console.print(
            "buffers are kept or rows computed ahead: runtime does not model this, the measured peak may differ"
        )
    console.print(_latency_text(found))
    console.print(f"predicted for {problem.cluster.name} {milliseconds(found.predicted.latency_s)} ms")
    console.print(_bytes_text(found))
    if found.difference is not None:
        console.print(f"largest difference from the unsplit network {found.difference:.1e} of its largest output")


def phases_table(found: Execution) -> Table:
    """In time order: bytes and time of each phase and time of each operator, predicted and measured."""
    grid = table()
    for name in ("operator", "step"):
        grid.add_column(name, no_wrap=True)
    for name in ("bytes predicted", "counted", "conn.", "ms predicted", "measured"):
        grid.add_column(name, justify="right", no_wrap=True)
    for row in _rows(found):
        grid.add_row(*row)
    grid.add_section()
    connections = str(sum(phase.connections for phase in found.phases))
    totals = (f"{found.predicted.bytes:,}", f"{found.bytes:,}", connections)
    grid.add_row("total", "", *totals, milliseconds(found.predicted.latency_s), milliseconds(found.latency_s))
    return grid


def devices_table(found: Execution) -> Table:
    """Parameters that each device held, predicted and counted, and its peak of memory, by both models and measured."""
    grid = table()
    grid.add_column("device", no_wrap=True)
    for name in ("parameters predicted", "held", *(f"peak {model}" for model in MODELS), "measured"):
        grid.add_column(name, justify="right", no_wrap=True)
    for device in found.problem.cluster.devices:
        predicted, held = found.predicted_resident_bytes[device.name], found.resident_bytes[device.name]
        peaks = [found.predicted_memory_bytes[model][device.name] for model in MODELS]
        peaks.append(found.peak_memory_bytes[device.name])
        style = None if predicted == held else "yellow"
        grid.add_row(device.name, *map(size, (predicted, held, *peaks)), style=style)
    return grid


def _rows(found: Execution) -> Iterator[tuple[str, ...]]:
    compute = zip(found.predicted.compute_by_operator_s, found.compute_by_operator_s, strict=True)
    for operator, times in zip(found.problem.operators, compute, strict=True):
        mine = [phase for phase in found.phases if phase.operator == operator.name]
        into = [phase for phase in mine if phase.kind in ("input", "transfer")]
        yield from (_phase(phase, found) for phase in into)
        yield operator.name, "compute", "", "", "", *map(milliseconds, times)
        yield from (_phase(phase, found) for phase in mine if phase not in into)


def _phase(phase: MeasuredPhase, found: Execution) -> tuple[str, ...]:
    expected = next(
        (each for each in found.predicted.phases if (each.operator, each.kind) == (phase.operator, phase.kind)), None
    )
    counts = ("-" if expected is None else f"{int(expected.bytes.sum()):,}", f"{int(phase.bytes.sum()):,}")
    predicted = "-" if expected is None else milliseconds(expected.time_s)
    return phase.operator, phase.kind, *counts, str(phase.connections), predicted, milliseconds(phase.time_s)


def _latency_text(found: Execution) -> str:
    """`latency 1,332.489 ms, emulated on this machine, median of 3 from 1,330.103 to 1,337.860`."""
    where = "emulated on this machine" if found.emulated else "on this machine"
    count, ends = len(found.latencies_s), map(milliseconds, (min(found.latencies_s), max(found.latencies_s)))
    runs = f", median of {count} from {' to '.join(ends)}" if count > 1 else ""
    return f"latency {milliseconds(found.latency_s)} ms, {where}{runs}"


def _rows_text(found: Execution) -> str:
    """Why measured times do not add up."""
    if len(found.latencies_s) > 1:
        return "measured: each row is a median of its own, so rows do not add up to the total, the median latency"
    return "measured: no device waits for others between rows, so rows do not add up to the total, the latency"


def _bytes_text(found: Execution) -> str:
    if found.bytes_agree:
        return f"bytes as predicted in all {len(found.phases)} phases, for every pair of devices"
    return "bytes differ from those predicted"
