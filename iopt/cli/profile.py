"""`iopt profile`: this device as an entry of a cluster file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from iopt.cli import options
from iopt.cli.output import check_writable_beside
from iopt.cli.talk import say

if TYPE_CHECKING:
    from iopt.partition.runtime.fitting import Fit
    from iopt.partition.runtime.profiling import DeviceProfile


class Found(NamedTuple):
    """The file, and what is said beside it: in one line each, `doubt` where there is any."""

    text: str
    doubt: str | None
    remark: str


NAME, RANKS, TIMEOUT_S = "this-device", 2, 30.0
"""Where nothing else is asked for."""


def profile(
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE.yaml", help="Write it here.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Of the device; default: this-device.")] = None,
    links: Annotated[
        bool, typer.Option("--links", help="A whole cluster: also the links between the ranks that torchrun started.")
    ] = False,
    ranks: Annotated[
        int | None,
        typer.Option(
            "--ranks", metavar="N", help="Of --links without torchrun: processes of this machine; default: 2."
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Of torch; default: OMP_NUM_THREADS, else one for each core.")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", metavar="SECONDS", help="Of --links: without progress, a rank hangs; default: 30."),
    ] = None,
    quiet: options.QuietOption = False,
) -> None:
    """Measure how fast this device computes, for a cluster file.

    Seconds of convolutions and linear layers, with a rate and an overhead fitted to them. With --links every rank is
    measured like that, and what it takes to send from one to another: the file is a whole cluster.
    """
    from iopt.report.progress import LiveLine

    if links:
        _refuse({"--name": name, "--threads": threads}, "of one device, not of --links")
    else:
        _refuse({"--ranks": ranks, "--timeout": timeout}, "of --links")
    if output is not None:
        check_writable_beside(output, {})
    with LiveLine(quiet) as line:
        line.step("measuring convolutions and linear layers")
        found = _cluster(ranks, timeout) if links else _device(threads, name or NAME)
    if found is None:
        return
    if output is None:
        print(found.text, end="")
    else:
        output.write_text(found.text, encoding="utf-8")
    if found.doubt is not None:
        say(f"warning: {found.doubt}")
    if not quiet:
        say(found.remark)
        if output is not None:
            say(f"written to {output}")


def _refuse(given: Mapping[str, object], belonging: str) -> None:
    """Raise `OptionError` for an option that would have no effect."""
    from iopt.errors import OptionError

    for option, value in given.items():
        if value is not None:
            raise OptionError(f"{option} is {belonging}")


def _device(threads: int | None, name: str) -> Found:
    from iopt.errors import OptionError
    from iopt.partition.runtime.profiling import profile_device

    if threads is not None and threads < 1:
        raise OptionError(f"--threads: {threads}; expected a positive number")
    found = profile_device(threads)
    return Found(as_yaml(found, name), _doubt(found), found.quality.about_linear)


def _cluster(ranks: int | None, timeout: float | None) -> Found | None:
    """Of the ranks that torchrun started, on rank 0, or of as many processes of this machine."""
    from iopt.door.numbers import check_seconds
    from iopt.partition.runtime.quiet import silence_warnings

    timeout_s = TIMEOUT_S if timeout is None else timeout
    check_seconds("--timeout", timeout_s)
    silence_warnings()
    from iopt.partition.runtime.cluster_profile import profile_here, profile_launched

    if {"RANK", "WORLD_SIZE"} <= os.environ.keys():
        _refuse({"--ranks": ranks}, f"without torchrun, which has started {os.environ['WORLD_SIZE']}")
        found = profile_launched(timeout_s)
    else:
        found = profile_here(RANKS if ranks is None else ranks, timeout_s)
    return None if found is None else Found(found.as_yaml(), found.doubt, found.about_linear)


def _doubt(found: DeviceProfile) -> str | None:
    from iopt.partition.runtime.quality import doubt

    return doubt(found.quality.figures, found.threads, "--threads 1") if found.quality.is_doubtful else None


def as_yaml(found: DeviceProfile, name: str) -> str:
    """A cluster file without its network, with what was fitted to each kind of operator as comments."""
    import json

    lines = [
        f"# Measured with {found.threads} of torch's threads; a network is still to be added.",
        f"# both kinds of convolutions: {_words(found.overall)}",
        *(f"# {kind}: {_words(fit)}" for kind, fit in found.by_kind.items()),
        f"# {found.quality.about_linear}",
        f"# {_doubt(found) or found.quality.figures}",
        "devices:",
        f"  - name: {json.dumps(name)}",
        f"    compute: {found.overall.flops_per_s / 1e9:.4g} GFLOP/s",
        f"    overhead: {found.overall.overhead_s * 1e3:.4g} ms",
        f"    memory: {found.memory_bytes} B  # all of the machine's",
    ]
    return "\n".join(lines) + "\n"


def _words(fit: Fit) -> str:
    from iopt.report.units import percent, rate

    worst = max(map(abs, fit.errors))
    return (
        f"{rate(fit.flops_per_s, 'FLOP/s')} after {fit.overhead_s * 1e3:.4g} ms, "
        f"off by {percent(fit.median_error)} (median), {percent(worst)} (largest)"
    )
