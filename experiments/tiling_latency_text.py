"""What `tiling_latency` measured, in words and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

MIB = 2**20
UNTILED = "1x1/NoCut"
CLAIM = 0.06
"""How far above the best manual configuration MAFAT says that its choices are at most (arXiv 2107.06960)."""

ABOVE = """\
yolov2-16 on {size}, executor `lean`, one thread on one core. Seconds of processor time, the least of {repeat}. The
experiment had {share:.0%} of its core: the less it has, the more do other programs on the host disturb it.

The model is that of `iopt tile profile yolov2-16 -o host.json`, run as a command: fitted to {fitted} configurations
drawn at random; of others of that draw the file says {own}. The file is judged here on the {count}
configurations of the sweep that it was not fitted to, run by the same protocol: **median {median:.1%}, worst
{worst:.1%}**.

The sweep is MAFAT's space: one group of 1x1 ... 5x5 tiles, or two with a cut behind a pooling (before layer {cuts}),
with 2x2 in the second group as published, and with any other square there besides: {sweep} configurations. *Chosen*:
the fastest of them by the model among those that fit the limit by the predictor; *best*: the fastest by measurement.
Limits are the peaks of {limits} of the sweep that no other beats in both memory and predicted
latency, so that each makes another choice. *Any*: what the search for the least latency finds among any number of
groups and any tiling up to 8 x 8, reuse included. These were measured in turns of their own, after the others; the
untiled network took {untiled_ms:.0f} ms then, and {before_ms:.0f} ms before.

{order}

"""
HEADER = ("limit MiB", "of", "chosen", "by the model ms", "ms", "best", "ms", "above best %")
HEADER += ("any tiling", "by the model ms", "ms")


def words(data: Mapping[str, Any]) -> str:
    """All but the table."""
    off, rows, file = [abs(error) for error in data["errors"].values()], data["limits"], data["file"]
    own = "that it is off by a median of {median_error:.1%}, at most {worst_error:.1%}"
    own = own.format(**file) if file["median_error"] is not None else "nothing"
    some = f"{len(rows)} of the {data['front']} configurations" if len(rows) < data["front"] else "the configurations"
    return ABOVE.format(
        size="x".join(map(str, data["size"])),
        repeat=data["repeat"],
        share=data["share_of_core"],
        fitted=file["fitted"],
        own=own,
        count=len(off),
        median=median(off),
        worst=max(off),
        cuts=", ".join(map(str, data["cuts"])),
        sweep=data["sweep"],
        limits=some,
        untiled_ms=1e3 * data["untiled_later_s"],
        before_ms=1e3 * data["seconds"][UNTILED],
        order=order(rows, median(off)),
    )


def order(rows: Sequence[Mapping[str, Any]], error: float) -> str:
    """What the model is worth as an order: distinct choices, and where a choice from a larger set is slower."""
    chosen = len({row["chosen"] for row in rows})
    worst = max(row["above"] for row in rows)
    near = sum(row["above"] <= CLAIM for row in rows)
    text = f"{len(rows)} limits, {chosen} different choices: at most {worst:.1%} above the best of the sweep,"
    text += f" and within {CLAIM:.0%}, what\nMAFAT claims of its predictor, at {near} of them."
    slower = [row for row in rows if "any" in row and row["any_s"] > row["best_s"]]
    if not slower:
        return f"{text} What is found among any tilings is never slower than the best of the sweep."
    most = max(slower, key=lambda row: row["any_s"] / row["best_s"])
    lost, hoped = most["any_s"] / most["best_s"] - 1, 1 - most["any_model_s"] / most["best_model_s"]
    text += f" At {len(slower)} of them\nwhat is found among any tilings is slower than the best of the sweep, by up to"
    text += f" {lost:.1%}: by the model\n`{most['any']}` is {hoped:.1%} faster than `{most['best']}`, "
    if hoped <= error:
        return f"{text}less than the median error of the model,\nwhich cannot tell them apart."
    return f"{text}more than the median error of the model,\nwhich is wrong here."


def line(row: dict[str, Any]) -> list[str]:
    def shown(key: str, form: str = "{}", factor: float = 1) -> str:
        return form.format(row[key] * factor) if key in row else "-"

    return [
        f"{row['limit_bytes'] / MIB:.1f}",
        str(row["feasible"]),
        shown("chosen"),
        *(shown(key, "{:.0f}", 1e3) for key in ("chosen_model_s", "chosen_s")),
        shown("best"),
        shown("best_s", "{:.0f}", 1e3),
        shown("above", "{:.1f}", 100),
        shown("any"),
        *(shown(key, "{:.0f}", 1e3) for key in ("any_model_s", "any_s")),
    ]
