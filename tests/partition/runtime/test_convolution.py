"""Convolutions of some rows of a map, window by window, against PyTorch's; and how large their columns are, by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import pytest
import torch
from torch.nn import functional

from iopt.graph import Operator
from iopt.graph.layers import Conv2d, Window
from iopt.partition import columns
from iopt.partition.columns import Layout, band_rows, column_bytes
from iopt.partition.runtime.convolution import convolve
from iopt.partition.runtime.parameters import by_kernel_rows
from tests.instances import chain, conv
from tests.partition.networks import ALEXNET


@dataclass(frozen=True)
class Drawn:
    operator: Operator
    tensor: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor | None

    @property
    def expected(self) -> torch.Tensor:
        body = self.operator.body
        assert isinstance(body, Conv2d)
        window = body.window
        return functional.conv2d(
            self.tensor[None], self.weight, self.bias, window.stride, window.padding, window.dilation, body.groups
        )[0]

    def rows(self, lo: int, hi: int) -> torch.Tensor:
        read = self.tensor[:, slice(*self.operator.input_rows(lo, hi))]
        return convolve(self.operator, read, by_kernel_rows(self.weight), self.bias, (lo, hi))


def drawn(seed: int) -> Drawn:
    """Any window that fits, with as many groups as go, in double precision."""
    rng, generator = Random(seed), torch.Generator().manual_seed(seed)
    kernel, stride, dilation = ((rng.randint(1, most), rng.randint(1, most)) for most in (5, 4, 3))
    reach = [dilation[side] * (kernel[side] - 1) + 1 for side in (0, 1)]
    padding = rng.randrange(kernel[0]), rng.randrange(kernel[1])
    size = [max(reach[side] - 2 * padding[side], 1) + rng.randint(0, 12) for side in (0, 1)]
    groups = rng.choice((1, 1, 2, 3))
    inputs, outputs, has_bias = groups * rng.randint(1, 3), groups * rng.randint(1, 3), rng.random() < 0.5
    layer = conv(outputs, kernel, stride, padding, dilation, groups, has_bias)
    (operator,) = chain("drawn", (inputs, *size), [layer])
    tensors = [
        torch.randn(shape, generator=generator, dtype=torch.float64)
        for shape in ((inputs, *size), (outputs, inputs // groups, *kernel), (outputs,))
    ]
    return Drawn(operator, tensors[0], tensors[1], tensors[2] if has_bias else None)


def some_rows(seed: int, height: int) -> Iterator[tuple[int, int]]:
    lo, hi = sorted(Random(seed).sample(range(height + 1), 2))
    yield from ((0, height), (lo, hi), (height - 1, height))


@pytest.mark.parametrize("cells", [1, 20, columns.CELLS])
def test_any_rows_of_any_window(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    """In bands of a row, of some rows, and of all that there is room for."""
    monkeypatch.setattr(columns, "CELLS", cells)
    monkeypatch.setattr(columns, "SMALL_BYTES", 4 * cells)
    bands = 0
    for seed in range(300):
        case = drawn(seed)
        expected = case.expected
        for lo, hi in some_rows(seed, expected.shape[1]):
            bands += column_bytes(case.operator) > 0 and hi - lo > band_rows(case.operator)
            assert torch.allclose(case.rows(lo, hi), expected[:, lo:hi], rtol=1e-12, atol=1e-12), (seed, lo, hi)
    assert bands > 30


def test_channels_of_a_partial_sum() -> None:
    case = drawn(2)
    assert case.operator.groups == 1 < len(case.tensor)
    parts = [
        Drawn(case.operator, case.tensor[part], case.weight[:, part], None).rows(0, case.expected.shape[1])
        for part in (slice(0, 1), slice(1, None))
    ]
    whole = sum(parts) if case.bias is None else sum(parts) + case.bias[:, None, None]
    assert torch.allclose(whole, case.expected, rtol=1e-12, atol=1e-12)


def test_every_row_of_the_kernel_finds_its_input_rows() -> None:
    for kernel in range(1, 7):
        for stride in range(1, 6):
            for dilation in range(1, 6):
                layout = Layout.of(Window((kernel, 1), (stride, 1), (0, 0), (dilation, 1)))
                found = [row.phase * layout.step + stride * row.shift for row in layout.kernel]
                assert found == [dilation * row for row in range(kernel)]
                assert {row.phase for row in layout.kernel} <= set(range(layout.phases))
                assert max(row.shift for row in layout.kernel) == layout.depth


def test_columns_by_hand() -> None:
    """AlexNet's first convolution, 3 x 224 x 224 under a kernel of 11 x 11 with stride 4: a row of 55 cells has 4
    phases of 11 kernel columns, and needs two rows more of each. 512 cells are 10 rows, of which 55 make 6 bands. The
    fourth, 384 x 13 x 13 under 3 x 3, has more weights than columns: one band."""
    first, _, _, fourth, _ = (operator for operator in ALEXNET if isinstance(operator.body, Conv2d))
    assert (band_rows(first), column_bytes(first)) == (10, 4 * 4 * 11 * 55 * (10 + 2))
    assert (band_rows(fourth), column_bytes(fourth)) == (13, 4 * 3 * 13 * (13 + 2))


def test_bands_are_as_equal_as_can_be() -> None:
    """Of 28 rows of 28 cells, 19 have 512 cells, which makes two bands; with two input channels all columns are small.
    Those of 3 rows of the third, and of two more below, would be larger than its input, pre tensor and weights."""
    for channels, rows in ((64, 14), (2, 28)):
        (operator,) = chain("bands", (channels, 28, 28), [conv(128, 3, padding=1)])
        assert band_rows(operator) == rows
    (operator,) = chain("small", (2, 8, 8), [conv(1, 3, padding=1)])
    row, besides = 4 * 2 * 3 * 8, 4 * (128 + 64 + 18)
    assert row * (2 + 2) <= besides < row * (3 + 2)
    assert (band_rows(operator), column_bytes(operator)) == (2, row // 2 * (2 + 2))
