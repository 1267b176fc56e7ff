"""Runs under memory limits as verdicts, a table and a picture: computed from the rows of `tiling_limit` alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from experiments import page
from experiments.limited_worker import PYTORCH
from iopt.report.picture import COLOURS, MARKERS, POINT, picture

MIB = 2**20
FIGURE = "tiling_limit.svg"
SPEEDUP, SHARE = 2.78, 0.5
"""MAFAT's claims under severe limits: so many times as fast, in less than this part of the memory."""
LIMITED = 0.99
"""A peak of this part of a limit, and more, is the limit's."""
LEAN, UNTILED = "untiled, lean", "1x1/NoCut"
BASES = {LEAN: "our untiled executor", PYTORCH: "untiled PyTorch"}
HEADER = ("headroom MiB", "run", "configuration", "predicted MiB", "finished", "ms", "speed-up over PyTorch")
HEADER += (f"over {LEAN}", "peak MiB", "major faults", "swapped MiB")

Row = dict[str, Any]


def remarks(rows: Sequence[Row]) -> str:
    """What the headroom favours, and what of the kills is not explained."""
    return fill(" ".join([_bias(rows), *_kills(rows)]), 120, break_on_hyphens=False)


def _bias(rows: Sequence[Row]) -> str:
    """By how much: the part of the predicted maps that a peak over the baseline does not show."""
    free = [row for row in rows if row.get("predicted_bytes") and "peak_bytes" in row and _is_free(row)]
    tiled = [row for row in free if row["configuration"] != UNTILED]
    whole = [row for row in free if row["configuration"] == UNTILED]
    if not tiled or not whole:
        return "How far headroom favours tiled runs is not known."
    most, own = max(tiled, key=_hidden), max(0, *map(_hidden, whole))
    text = "*Predicted* is of tensors alone, *peak* of the control group over what was loaded, with what library and"
    text += (
        " malloc take besides. *Headroom* favours tiled runs: what malloc keeps for reuse is locked with the rest, and"
    )
    text += " holds up to"
    text += f" {_hidden(most) / MIB:.1f} MiB of their maps, predicted less measured peak (`{most['configuration']}`"
    text += f" at {most['headroom_mib']} MiB); of those of our untiled executor {own / MIB:.1f} MiB."
    return f"{text} For PyTorch there is no prediction."


def _hidden(row: Row) -> int:
    return int(row["predicted_bytes"] - row["peak_bytes"])


def _kills(rows: Sequence[Row]) -> list[str]:
    """A sentence, if there were any."""
    runs = [run for row in rows for run in row["runs"]]
    killed = sum(run["outcome"] == "killed" for run in runs)
    swapped = [run["swapped_bytes"] for run in runs if run["outcome"] == "finished"]
    if not killed or not swapped:
        return []
    text = f"Why the kernel killed {killed} of {len(runs)} runs, with a swap file behind them, is not known; runs that"
    return [f"{text} finished swapped out at most {max(swapped) / MIB:.0f} MiB."]


def verdicts(rows: Sequence[Row]) -> str:
    """A line per method and untiled baseline, at the tightest limit at which both have a median."""
    names = dict.fromkeys(row["name"] for row in rows if row["name"] not in BASES)
    lines = [f"MAFAT's claim under severe limits, {SPEEDUP} x at less than half the memory:", ""]
    lines += [f"* {_verdict(rows, name, base)}" for name in names for base in BASES]
    lines += ["", "Memory is the larger of predicted and measured peak, over what the baseline takes unlimited."]
    return "\n".join(lines)


def _verdict(rows: Sequence[Row], name: str, base: str) -> str:
    what = f"`{name}` over {BASES[base]}"
    tightest = min(row["headroom_mib"] for row in rows)
    rising = sorted((row for row in rows if row["name"] == name), key=lambda row: int(row["headroom_mib"]))
    row = next((row for row in rising if speedup(rows, row, base) is not None), None)
    if row is None:
        return f"{what}: open, at no limit did most runs of both finish."
    ratio, share = speedup(rows, row, base) or 0.0, _share(rows, row, base)
    memory = "memory of the baseline not known" if share is None else f"{share:.0%} of the memory"
    text = f"{ratio:.2f} x, {memory}, at {row['headroom_mib']} MiB"
    if row["headroom_mib"] > tightest:
        text += ", the tightest at which most runs of both finished"
    pair = [each for each in (row, _found(rows, base, row["headroom_mib"])) if each["finished"] < len(each["runs"])]
    if pair:
        listed = [f"{each['name']}: {outcomes(each)} finished" for each in pair]
        text += f" ({'; '.join(listed)})"
    if share is None:
        return f"{what}: open, {text}."
    return f"{what}: **{'met' if ratio >= SPEEDUP and share < SHARE else 'missed'}**, {text}."


def speedup(rows: Sequence[Row], row: Row, base: str) -> float | None:
    """Median seconds of a baseline at the same limit over the row's; None unless both have a median."""
    slow = _found(rows, base, row["headroom_mib"])
    return slow["time_s"] / row["time_s"] if "time_s" in slow and "time_s" in row else None


def _share(rows: Sequence[Row], row: Row, base: str) -> float | None:
    """Of the memory that a baseline takes at the widest limit; None where that limits it."""
    free = _found(rows, base, max(each["headroom_mib"] for each in rows))
    own, peak = _peak(row), _peak(free)
    return own / peak if own and peak and _is_free(free) else None


def _is_free(row: Row) -> bool:
    return bool(row.get("peak_bytes", 0) < LIMITED * row["headroom_mib"] * MIB)


def _peak(row: Row) -> float | None:
    known = [row[key] for key in ("predicted_bytes", "peak_bytes") if row.get(key) is not None]
    return max(known, default=None)


def _found(rows: Sequence[Row], name: str, headroom: int) -> Row:
    return next(row for row in rows if (row["name"], row["headroom_mib"]) == (name, headroom))


def table(rows: Sequence[Row]) -> str:
    return page.table(HEADER, [_line(rows, row) for row in rows])


def _line(rows: Sequence[Row], row: Row) -> list[str]:
    def shown(key: str, form: str, factor: float = 1) -> str:
        return "-" if row.get(key) is None else form.format(row[key] * factor)

    ratios = [speedup(rows, row, base) for base in (PYTORCH, LEAN)]
    return [
        str(row["headroom_mib"]),
        row["name"],
        row["configuration"],
        shown("predicted_bytes", "{:.1f}", 1 / MIB),
        outcomes(row),
        shown("time_s", "{:.0f}", 1e3),
        *("-" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
        shown("peak_bytes", "{:.1f}", 1 / MIB),
        shown("major_faults", "{:.0f}"),
        shown("swapped_bytes", "{:.1f}", 1 / MIB),
    ]


def outcomes(row: Row) -> str:
    """`3 of 5 (2 killed)`."""
    others = Counter(run["outcome"] for run in row["runs"] if run["outcome"] != "finished")
    listed = ", ".join(f"{count} {outcome}" for outcome, count in others.items())
    return f"{row['finished']} of {len(row['runs'])}" + (f" ({listed})" if listed else "")


def draw(rows: Sequence[Row], path: Path) -> None:
    """Median seconds over the headroom, a line per way to run; a gap where there is none."""
    from matplotlib.ticker import LogLocator

    with picture(path, "yolov2-16 under a memory limit; gaps where most runs were killed") as axes:
        for index, name in enumerate(dict.fromkeys(row["name"] for row in rows)):
            own = sorted((row["headroom_mib"], row.get("time_s", float("nan"))) for row in rows if row["name"] == name)
            look = {"color": COLOURS[index], "marker": MARKERS[index], "linewidth": 1.2, **POINT}
            axes.plot(*zip(*own, strict=True), label=name, **look)
        ticks = sorted({row["headroom_mib"] for row in rows})
        axes.set_xscale("log", base=2)
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(LogLocator(subs=(2, 3, 5)))
        for formatted in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
            formatted("{x:g}")
        axes.set_xlabel("headroom over what is loaded (MiB)")
        axes.set_ylabel("seconds of one inference")
        axes.legend()
