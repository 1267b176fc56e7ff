"""What the executor itself costs: a pair of fully connected layers, split by output and then by input channels over two
processes, against the same pair with PyTorch's ColwiseParallel and RowwiseParallel, in turns on the same processes.

`--quick` tries the experiment with few rounds and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

from experiments import page
from iopt import Cluster, Device, Network, Plan, Problem
from iopt.importer import import_module
from iopt.partition.plan import Axis, Direct, Split, intervals_from
from iopt.partition.runtime.distributed import DistributedRun
from iopt.partition.runtime.parameters import load_shard
from iopt.partition.runtime.processes import run_together
from iopt.partition.runtime.pulse import Pulse
from iopt.partition.runtime.schedule import schedule
from iopt.partition.runtime.weights import StateWeights
from iopt.partition.runtime.worker import Worker

WIDTHS = (64, 256, 1024, 2048, 4096)
"""Features before, between and after the two layers."""
ROUNDS = 400
TARGET = 1.05
SHOWN = {"iopt": "iopt", "kept": "iopt, kept buffers", "torch": "torch", "torch_alone": "torch, input everywhere"}

ABOVE = """\
Two fully connected layers with a ReLU between them, `width` features everywhere: the first split by output channels,
the second by input channels, over two processes on one machine (gloo on the loopback interface, one thread each). Both
start with the input on process 0 and have the output there at the end: iopt sends the input and the partial sums point
to point, PyTorch's `ColwiseParallel` and `RowwiseParallel` after a broadcast of the input, with their all-reduce.
*Torch, input everywhere* leaves the broadcast out: less than what iopt does. *Kept buffers*: `--keep-buffers`.

Medians in us over {rounds} rounds in which all took turns, in random order; *ratio*: median over rounds of
iopt over torch, and between which values the middle half of the rounds lie. The aim is at most {target}.
{circumstances}

"""


class Pair(nn.Sequential):
    """The two layers."""

    def __init__(self, width: int) -> None:
        super().__init__(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args(arguments).quick
    rounds = 20 if is_quick else ROUNDS
    with TemporaryDirectory() as name:
        run_together(partial(measure, rounds), ["first", "second"], Path(name), 120.0)
        times = json.loads((Path(name) / "times.json").read_text())
    rows = [row(int(width), seconds) for width, seconds in times.items()]
    text = ABOVE.format(rounds=rounds, target=TARGET, circumstances=page.circumstances()) + page.table(
        HEADER, [line(each) for each in rows]
    )
    print(text)
    if not is_quick:
        print(page.write("runtime_cost", "Run: what the executor itself costs", text, rows))


def measure(rounds: int, rank: int, folder: Path, pulse: Pulse) -> None:
    """What each of the two processes does; the first leaves its times in a file."""
    torch.set_num_threads(1)
    mesh = init_device_mesh("cpu", (2,))
    times = {width: turns(candidates(width, rank, mesh, pulse), rounds) for width in WIDTHS}
    if rank == 0:
        (folder / "times.json").write_text(json.dumps(times))


def candidates(width: int, rank: int, mesh: Any, pulse: Pulse) -> dict[str, Callable[[], object]]:
    """One inference by each of them, checked to give the same."""
    torch.manual_seed(width)
    module, image = Pair(width).eval(), torch.randn(1, width)
    expected = module(image)
    half = intervals_from((width // 2, width - width // 2))
    cluster = Cluster("pair", (Device("a", 1e9), Device("b", 1e9)), Network(0.0, (1e9, 1e9), (1e9, 1e9)))
    graph = import_module(module, image, "pair")
    names = [operator.name for operator in graph]
    plan = Plan((Split(names[0], Axis.OC, half), Split(names[1], Axis.IC, half, None, Direct())))
    steps = schedule(Problem(graph, cluster), plan)
    shard = load_shard(steps, rank, StateWeights(module.state_dict()))
    workers = (Worker(steps, rank, shard, keep=keep) for keep in (False, True))
    ours, kept = (DistributedRun(steps, worker, pulse=pulse) for worker in workers)
    tensor = image.reshape(width, 1, 1) if rank == 0 else None
    theirs = parallelize_module(module, mesh, {"0": ColwiseParallel(), "2": RowwiseParallel()})

    def torch_alone() -> torch.Tensor:
        with torch.no_grad():  # in inference mode PyTorch's takes up to a hundred times longer
            result: torch.Tensor = theirs(image)
            return result

    def torch_both() -> torch.Tensor:
        distributed.broadcast(image, 0)
        return torch_alone()

    ours(tensor)
    kept(tensor)
    found = [torch_both(), *(run.worker.held.reshape(1, -1) for run in (ours, kept) if rank == 0)]
    assert all(torch.allclose(each, expected, rtol=1e-4, atol=1e-5) for each in found)
    return {
        "iopt": partial(ours, tensor),
        "kept": partial(kept, tensor),
        "torch": torch_both,
        "torch_alone": torch_alone,
    }


def turns(actions: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each action in each round, on this process."""
    names, seconds, random = list(actions), {name: [0.0] * rounds for name in actions}, Random(0)
    for number in range(-5, rounds):
        for name in random.sample(names, len(names)):  # the same on both processes
            distributed.barrier()
            began = time.perf_counter()
            actions[name]()
            if number >= 0:
                seconds[name][number] = time.perf_counter() - began
    return seconds


HEADER = ("width", *SHOWN.values(), "ratio", "middle half", "ratio, kept", "ratio, input everywhere")


def row(width: int, seconds: dict[str, list[float]]) -> dict[str, Any]:
    """Medians, and of the ratios of each round."""
    ratios = paired(seconds, "iopt", "torch")
    return {
        "width": width,
        "median_s": {name: median(times) for name, times in seconds.items()},
        "ratio": median(ratios),
        "ratio_quartiles": [quantiles(ratios)[0], quantiles(ratios)[2]],
        "ratio_kept": median(paired(seconds, "kept", "torch")),
        "ratio_input_everywhere": median(paired(seconds, "iopt", "torch_alone")),
    }


def paired(seconds: dict[str, list[float]], one: str, other: str) -> list[float]:
    return [mine / theirs for mine, theirs in zip(seconds[one], seconds[other], strict=True)]


def line(row: dict[str, Any]) -> list[str]:
    low, high = row["ratio_quartiles"]
    return [
        str(row["width"]),
        *(f"{row['median_s'][name] * 1e6:.0f}" for name in SHOWN),
        f"**{row['ratio']:.2f}**",
        f"{low:.2f} ... {high:.2f}",
        f"{row['ratio_kept']:.2f}",
        f"{row['ratio_input_everywhere']:.2f}",
    ]


if __name__ == "__main__":
    main()
