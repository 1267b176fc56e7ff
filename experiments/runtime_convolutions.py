"""The executor's convolutions against PyTorch's `conv2d`, layer by layer, in turns in one process: time, and memory at
PyTorch's allocator. Beside them what oneDNN with weights packed once would take.

`--quick` tries the smallest network only and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch.nn import functional

import iopt
from experiments import page
from experiments.onednn_bands import Packed
from iopt.graph import Operator
from iopt.graph.layers import Conv2d
from iopt.partition.columns import band_rows
from iopt.partition.runtime.convolution import convolve
from iopt.partition.runtime.parameters import by_kernel_rows
from iopt.partition.runtime.peak import peak_bytes

NETWORKS = ("lenet", "alexnet", "vgg11")
NAMES = ("conv2d", "iopt", "oneDNN")
INSTRUCTIONS = {"all": "DEFAULT", "AVX2": "AVX2"}
"""Of the processor, as oneDNN names them in `ONEDNN_MAX_CPU_ISA`."""
REPEAT = 25
HEADER = ("network", "operator", *(f"{name} ms" for name in NAMES), "iopt / conv2d", "oneDNN / conv2d")
MEMORY = ("network", "operator", "rows of a band", "input and output KiB", *(f"{name} besides KiB" for name in NAMES))
ABOVE = """\
Whole maps on one thread, least of {repeat} runs in which all took turns. *conv2d*: PyTorch's, which chooses oneDNN
here. *iopt*: the executor's, by columns of a band of rows and a matrix product for each row of the kernel. *oneDNN*:
its convolutions on weights packed once, between copies of as many rows with the channels innermost, and back
(`experiments/onednn_bands.py`). Largest difference from conv2d, over its largest output: {difference:.0e}.
{circumstances}

"""
BETWEEN = """\


## Memory

At PyTorch's allocator while a layer runs, besides input, output and weights; *conv2d* packs its weights at each call.

"""
BELOW = """\


## Why not oneDNN

Weights of a convolution under 3 x 3, packed for oneDNN, and its scratch while a map of 28 x 28 runs in bands, in bytes;
with all instructions that the processor has, and as it would be with no more than AVX2. Output channels are rounded up,
so that a share of few channels or of an odd number would hold more than its part of the weights, by a rule that is not
linear in the share; scratch depends on channels, threads and processor, and can be packed weights or maps. The
executor's columns and weights are what the memory model `runtime` says, to the byte, on every machine.

"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args(arguments).quick
    if not torch.backends.mkldnn.is_available():
        print("skipped: this torch has no oneDNN")
        return
    with torch.inference_mode():
        layers = [layer for name in (NETWORKS[:1] if is_quick else NETWORKS) for layer in measured(name)]
    packed = [row for name, most in INSTRUCTIONS.items() for row in packing(name, most)]
    text = ABOVE.format(
        repeat=REPEAT, difference=max(layer["difference"] for layer in layers), circumstances=page.circumstances()
    )
    text += page.table(HEADER, [time_line(each) for each in (*layers, *sums(layers))])
    text += BETWEEN + page.table(MEMORY, [memory_line(layer) for layer in layers])
    text += BELOW + page.table(list(packed[0]), [list(map(shown, row.values())) for row in packed])
    print(text)
    if not is_quick:
        data = {"layers": layers, "packing": packed}
        print(page.write("runtime_convolutions", "Run: convolutions of the executor", text, data))


def packing(name: str, most: str) -> list[dict[str, Any]]:
    """By column, in a process where oneDNN uses no more than these instructions."""
    command = [sys.executable, "-m", "experiments.onednn_bands"]
    said = subprocess.run(command, env={**os.environ, "ONEDNN_MAX_CPU_ISA": most}, capture_output=True, check=True)
    return [{"instructions": name, **row} for row in json.loads(said.stdout)]


def shown(value: int | str) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def measured(network: str) -> Iterator[dict[str, Any]]:
    """Every convolution of a network."""
    for operator in iopt.load(network):
        if isinstance(operator.body, Conv2d):
            yield {"network": network, "operator": operator.name, **measurements(operator, operator.body)}


def measurements(operator: Operator, body: Conv2d) -> dict[str, Any]:
    """Seconds and bytes besides the output, by name, and how far the others are from conv2d."""
    calls = ways(operator, body)
    expected, *others = (calls[name]() for name in NAMES)
    besides = [peak_bytes(calls[name]) - expected.nbytes for name in NAMES]
    differences = [float((other - expected).abs().max() / expected.abs().max()) for other in others]
    return {
        "rows": band_rows(operator),
        "boxes_bytes": operator.input_shape.bytes + operator.pre_shape.bytes,
        "besides_bytes": dict(zip(NAMES, besides, strict=True)),
        "difference": max(differences),
        "times_s": in_turns(calls),
    }


def ways(operator: Operator, body: Conv2d) -> dict[str, Callable[[], torch.Tensor]]:
    """One layer on one input, by each name."""
    generator = torch.Generator().manual_seed(0)
    outputs, inputs, kernel = operator.pre_shape.channels, operator.input_shape.channels, body.window.kernel
    weight, bias, image = (
        torch.randn(shape, generator=generator)
        for shape in ((outputs, inputs, *kernel), (outputs,), tuple(operator.input_shape))
    )
    rows = (0, operator.pre_shape.height)
    return {
        "conv2d": lambda: functional.conv2d(image[None], weight, bias, body.window.stride, body.window.padding)[0],
        "iopt": partial(convolve, operator, image, by_kernel_rows(weight), bias, rows),
        "oneDNN": partial(Packed(operator, weight, bias), image),
    }


def in_turns(calls: dict[str, Callable[[], torch.Tensor]]) -> dict[str, float]:
    """The least of their times, after a round that is not counted."""
    torch.set_num_threads(1)
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(REPEAT + 1):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - began)
    return {name: min(each[1:]) for name, each in times.items()}


def sums(layers: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All layers of each network."""
    for network in dict.fromkeys(layer["network"] for layer in layers):
        mine = [layer["times_s"] for layer in layers if layer["network"] == network]
        yield {
            "network": network,
            "operator": "all",
            "times_s": {name: sum(each[name] for each in mine) for name in NAMES},
        }


def time_line(layer: dict[str, Any]) -> list[str]:
    times = layer["times_s"]
    ratios = [f"{times[name] / times['conv2d']:.2f}" for name in NAMES[1:]]
    return [layer["network"], layer["operator"], *(f"{times[name] * 1e3:.2f}" for name in NAMES), *ratios]


def memory_line(layer: dict[str, Any]) -> list[str]:
    sizes = (layer["boxes_bytes"], *layer["besides_bytes"].values())
    return [layer["network"], layer["operator"], str(layer["rows"]), *(f"{size / 1024:,.0f}" for size in sizes)]


if __name__ == "__main__":
    main()
