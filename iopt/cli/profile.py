"""`iopt profile`: this device as an entry of a cluster file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iopt.cli import options
from iopt.cli.output import check_writable_beside
from iopt.cli.talk import say

if TYPE_CHECKING:
    from iopt.partition.runtime.profiling import DeviceProfile, Fit


def profile(
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE.yaml", help="Write it here.")] = None,
    name: Annotated[str, typer.Option("--name", help="Of the device.")] = "this-device",
    threads: Annotated[int | None, typer.Option("--threads", help="Of torch; default: as it chooses.")] = None,
    quiet: options.QuietOption = False,
) -> None:
    """Measure how fast this device computes, for a cluster file.

    Seconds of convolutions and linear layers, with a rate and an overhead fitted to them.
    """
    from iopt.errors import OptionError
    from iopt.partition.runtime.profiling import profile_device
    from iopt.report.progress import LiveLine

    if threads is not None and threads < 1:
        raise OptionError(f"--threads: {threads}; expected a positive number")
    if output is not None:
        check_writable_beside(output, {})
    with LiveLine(quiet) as line:
        line.step("measuring convolutions and linear layers")
        text = as_yaml(profile_device(threads), name)
    if output is None:
        print(text, end="")
        return
    output.write_text(text, encoding="utf-8")
    if not quiet:
        say(f"written to {output}")


def as_yaml(found: DeviceProfile, name: str) -> str:
    """A cluster file without its network, with what was fitted to each kind of operator as comments."""
    import json

    lines = [
        f"# Measured with {found.threads} of torch's threads; a network is still to be added.",
        f"# both kinds of convolutions: {_words(found.overall)}",
        *(f"# {kind}: {_words(fit)}" for kind, fit in found.by_kind.items()),
        "devices:",
        f"  - name: {json.dumps(name)}",
        f"    compute: {found.overall.flops_per_s / 1e9:.4g} GFLOP/s",
        f"    overhead: {found.overall.overhead_s * 1e3:.4g} ms",
    ]
    return "\n".join(lines) + "\n"


def _words(fit: Fit) -> str:
    from iopt.report.units import percent, rate

    worst = max(map(abs, fit.errors))
    return (
        f"{rate(fit.flops_per_s, 'FLOP/s')} after {fit.overhead_s * 1e6:.3g} us, "
        f"off by {percent(fit.median_error)} (median), {percent(worst)} (largest)"
    )
