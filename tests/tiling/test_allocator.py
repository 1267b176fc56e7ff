"""What the allocator counts, on calls whose allocations are known."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from iopt.tiling.executor.allocator import measure


def test_tensors_alive_at_once() -> None:
    def call() -> torch.Tensor:
        first = torch.empty(1000)
        second = torch.empty(500)
        del first
        third = torch.empty(200)
        del second
        return third

    found = measure(call)
    assert (found.peak_bytes, found.kept_bytes, found.scratch_bytes) == (6000, 800, 0)
    assert found.total_peak_bytes == 6000


def test_what_was_there_before_does_not_count() -> None:
    held = [torch.empty(1000)]
    assert measure(lambda: held.pop().sum()).peak_bytes < 100


def test_indices_of_a_max_pooling_count() -> None:
    tensor = torch.randn(1, 4, 10, 10)
    with torch.inference_mode():
        found = measure(lambda: functional.max_pool2d(tensor, 2))
    assert found.peak_bytes == 4 * 25 * (4 + 8)
    assert found.kept_bytes == 4 * 25 * 4


def test_what_a_convolution_takes_and_gives_back_is_scratch() -> None:
    tensor, weight = torch.randn(1, 16, 40, 40), torch.randn(16, 16, 3, 3)
    with torch.inference_mode():
        found = measure(lambda: functional.conv2d(tensor, weight))
    assert found.peak_bytes == found.kept_bytes == 16 * 38 * 38 * 4
    assert found.scratch_bytes > 0
    assert found.total_peak_bytes > found.peak_bytes


def test_nothing_is_said_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    measure(lambda: torch.empty(5))
    assert capfd.readouterr() == ("", "")
