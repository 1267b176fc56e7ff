"""`iopt run`: a plan carried out, beside what was predicted."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from iopt.cli import options
from iopt.cli.codes import Exit
from iopt.cli.output import check_writable_beside
from iopt.cli.talk import complain, say


class OnFailure(StrEnum):
    """What to do when a device is lost."""

    FAIL = "fail"
    REPLAN = "replan"


def run(
    plan: options.PlanArgument,
    weights: Annotated[
        Path | None,
        typer.Option(
            "--weights",
            "--weights-file",
            metavar="FILE",
            help="Of the network, .safetensors or .pt2; default: random by the seed.",
        ),
    ] = None,
    weights_hash: Annotated[
        str | None, typer.Option("--weights-hash", metavar="sha256:HEX", help="What their file must have.")
    ] = None,
    trust: options.TrustOption = False,
    input: Annotated[
        Path | None, typer.Option("--input", metavar="FILE.npy", help="The input; default: random by the seed.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of random weights and of a random input.")] = 0,
    repeat: Annotated[int, typer.Option("--repeat", metavar="N", help="Inferences to measure.")] = 1,
    verify: Annotated[bool, typer.Option("--verify", help="Compare with the unsplit network.")] = False,
    emulate: Annotated[
        bool, typer.Option("--emulate", help="Play the cluster: compute and send as slowly as its devices and links.")
    ] = False,
    keep_buffers: Annotated[
        bool, typer.Option("--keep-buffers", help="Allocate those of messages once: faster, and more memory.")
    ] = False,
    overlap: Annotated[
        bool, typer.Option("--overlap", help="Compute rows that need no halo while halos are on their way.")
    ] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", help="Without progress, a process hangs.")
    ] = 30.0,
    on_failure: Annotated[
        OnFailure,
        typer.Option("--on-failure", help="Of a device that is lost: fail, or plan again for the others and go on."),
    ] = OnFailure.FAIL,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE.npy", help="Write the output here.")
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option("--trace", metavar="FILE.json", help="Write a timeline for Perfetto: predicted and measured."),
    ] = None,
    json: options.JsonOption = False,
    quiet: options.QuietOption = False,
) -> int:
    """Carry out a plan, on one process per device.

    All processes are on this machine: bytes and parameters are counted, times are this machine's.
    """
    from iopt.door import json_file
    from iopt.inference import run as carry_out
    from iopt.partition import files
    from iopt.partition.runtime.asked import check_asked
    from iopt.partition.runtime.execution import NOT_FINITE, to_dict
    from iopt.partition.runtime.trace import to_trace
    from iopt.report.console import console
    from iopt.report.execution import print_execution
    from iopt.report.progress import LiveLine
    from iopt.tensor_files import input_note, weights_note, write_output

    check_asked(repeat, timeout, weights, weights_hash, overlap=overlap, emulate=emulate)
    _check_outputs({"PLAN": plan, "--weights": weights, "--input": input}, {"--output": output, "--trace": trace})
    with LiveLine(quiet) as line:
        line.step(f"reading {plan}")
        file = files.load(plan)
        line.step(f"running {file.problem.graph.name} on {len(file.problem.cluster)} processes")
        found = carry_out(
            file,
            None,
            input,
            weights=weights,
            weights_hash=weights_hash,
            trust=trust,
            seed=seed,
            repeat=repeat,
            verify=verify,
            emulate=emulate,
            keep_buffers=keep_buffers,
            overlap=overlap,
            timeout_s=timeout,
            on_failure=on_failure.value,
        )
    for name, how in found.lost.items():
        say(f"lost {name!r}: {how}; planned again for {found.problem.cluster.name}")
    if not quiet and (weights is None or input is None):
        what = " and ".join(name for name, given in (("weights", weights), ("input", input)) if given is None)
        say(f"random {what}, seed {seed}")
    if weights is not None and (note := weights_note(weights, found.problem.graph)):
        say(note)
    if input is not None and (note := input_note(input)):
        say(note)
    if not found.is_finite:
        complain(NOT_FINITE)
    if output is not None:
        write_output(output, found.outputs)
    if trace is not None:
        json_file.write(trace, to_trace(found))
    if json:
        print(json_file.pretty(to_dict(found)))
    else:
        print_execution(console(), found)
    if not found.bytes_agree:
        complain("the bytes counted are not those predicted; this is a bug in iopt")
        return Exit.BUG
    if not found.is_correct:
        complain(f"the output is {found.difference:.1e} off the unsplit network's; this is a bug in iopt")
        return Exit.BUG
    return Exit.OK


def _check_outputs(read: Mapping[str, Path | None], written: Mapping[str, Path | None]) -> None:
    """Raise `IoptError` where a file cannot be written, is one that is read, or is another one that is written."""
    from iopt.errors import OptionError

    named = {what: str(path) for what, path in read.items() if path is not None}
    for option, path in written.items():
        if path is not None:
            check_writable_beside(path, named, option)
    (first, output), (second, trace) = written.items()
    if output is not None and trace is not None and output.resolve() == trace.resolve():
        raise OptionError(f"{output}: cannot be written: both {first} and {second} name it")
