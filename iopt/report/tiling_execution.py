"""A configuration that was executed, beside what was predicted and the untiled network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from iopt.report.console import print_table
from iopt.report.style import table
from iopt.report.tiling_units import memory
from iopt.report.units import milliseconds, rate
from iopt.tiling.executor.execution import Execution
from iopt.tiling.executor.verification import is_broken, needed_bytes
from iopt.tiling.predictors import copier
from iopt.tiling.problem import Problem

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def to_dict(problem: Problem, found: Execution, wrong: Sequence[str] | None) -> dict[str, Any]:
    """JSON data in SI units. `wrong`: what a verification found, None without one."""
    return {
        **asdict(found),
        "speedup": found.speedup,
        "is_predicted": found.is_predicted,
        "memory_bytes": problem.memory_bytes,
        "needed_bytes": needed_bytes(problem, found),
        "keeps_limit": not is_broken(problem, found),
        "verified": None if wrong is None else not wrong,
    }


def print_execution(console: Console, problem: Problem, found: Execution, wrong: Sequence[str] | None) -> None:
    """Time, memory and work, each beside that of the untiled network, and what was predicted; whether the plan's limit
    was kept. `wrong`: what a verification found, None without one."""
    console.print(f"{problem.graph.name}: {found.configuration} by the executor {found.executor}", style="bold")
    print_table(console, _table(problem, found))
    runs = f"{len(found.times_s)} runs each, in turn" if len(found.times_s) > 1 else "one run each"
    console.print(f"times: {runs}; memory: of tensors, without weights and the caller's input")
    if said := _needed_text(problem, found):
        console.print(said, style="yellow" if is_broken(problem, found) else None)
    if found.scratch_bytes:
        scratch, most = memory(found.scratch_bytes), memory(found.scratch_limit_bytes)
        console.print(f"a convolution of the library takes up to {scratch} more while it runs, limit {most}")
    console.print(f"{found.speedup:.2f} x as fast as the untiled network in its faster layout")
    console.print(f"outputs differ by {found.difference:.2g} of the largest value at most")
    if wrong is not None and not wrong:
        limit = "" if problem.memory_bytes is None else ", limit"
        console.print(f"verified: output, peak, work, scratch{limit}", style="bold")


def _needed_text(problem: Problem, found: Execution) -> str:
    """`10.85 MiB + 13.05 MiB of weights = 23.90 MiB, limit 24.00 MiB: kept`; nothing where the table says it all."""
    parts = [memory(found.peak_bytes)]
    parts += [f"{memory(problem.weights_bytes)} of weights"] if problem.weights_bytes else []
    parts += [f"{memory(problem.bias_bytes)} of bias"] if problem.bias_bytes else []
    if problem.memory_bytes is None and len(parts) == 1:
        return ""
    text = " + ".join(parts) + (f" = {memory(needed_bytes(problem, found))}" if len(parts) > 1 else "")
    if problem.memory_bytes is None:
        return text
    verdict = "broken" if is_broken(problem, found) else "kept"
    streamed = " but for weights, which are not streamed here" if problem.weights == "streamed" else ""
    return f"{text}, limit {memory(problem.memory_bytes)}: {verdict}{streamed}"


def _table(problem: Problem, found: Execution) -> Table:
    grid = table()
    grid.add_column("", no_wrap=True)
    for name in ("predicted", "measured", "untiled", "channels last"):
        grid.add_column(name, justify="right", no_wrap=True)
    latency = _predicted_s(problem, found)
    times = [milliseconds(seconds) for seconds in (found.time_s, found.untiled_s, found.channels_last_s)]
    grid.add_row("time ms", "-" if latency is None else milliseconds(latency), *times)
    peaks = [memory(count) for count in (found.predicted_bytes, found.peak_bytes, found.untiled_bytes)]
    grid.add_row("peak", *peaks, "")
    work = [rate(count, "MAC") for count in (found.predicted_macs, found.macs, problem.macs)]
    grid.add_row("work", *work, "")
    return grid


def _predicted_s(problem: Problem, found: Execution) -> float | None:
    """Latency by the host's times, where they are known and of this executor."""
    if problem.host is None or copier(problem.predictor) != found.executor:
        return None
    from iopt.tiling.evaluation import evaluate
    from iopt.tiling.notation import parse

    return evaluate(problem, parse(found.configuration, len(problem.layers))).latency_s
