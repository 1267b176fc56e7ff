"""The experiments about runs that tests can reach: what they compare is the same, and what they say of it."""

from __future__ import annotations

from typing import cast

import pytest
import torch

from experiments import runtime_convolutions, runtime_cost, runtime_latency
from iopt.graph.layers import Conv2d
from iopt.partition import columns
from tests.instances import chain, conv


def test_the_ratio_is_of_the_same_rounds() -> None:
    names = runtime_cost.SHOWN
    row = runtime_cost.row(8, {name: [1.0, 2.0, 30.0] if name == "iopt" else [2.0, 4.0, 10.0] for name in names})
    assert row["ratio"] == 0.5
    assert len(runtime_cost.line(row)) == len(runtime_cost.HEADER)


def test_a_step_is_off_in_either_direction() -> None:
    found = [runtime_latency.is_off({"predicted_s": 1.0, "measured_s": value}) for value in (0.8, 0.95, 1.05, 1.2)]
    assert found == [True, False, False, True]


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch has no oneDNN here")
def test_convolutions_that_are_compared_are_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also in several bands; and the executor takes its columns besides the output, and nothing else."""
    threads = torch.get_num_threads()
    monkeypatch.setattr(runtime_convolutions, "REPEAT", 1)
    monkeypatch.setattr(runtime_convolutions, "INSTRUCTIONS", {"all": "DEFAULT"})
    monkeypatch.setattr(columns, "CELLS", 30)
    monkeypatch.setattr(columns, "SMALL_BYTES", 1)
    (strided,) = chain("strided", (3, 21, 21), [conv(16, 5, stride=2, padding=2)])
    try:
        with torch.inference_mode():
            found = runtime_convolutions.measurements(strided, cast(Conv2d, strided.body))
        runtime_convolutions.main(["--quick"])
    finally:
        torch.set_num_threads(threads)
    assert found["rows"] == 3
    assert found["difference"] < 1e-5
    assert found["besides_bytes"]["iopt"] == 3 * columns.column_bytes(strided)
    said = capsys.readouterr().out
    assert said.count("| lenet | conv") == 4
    assert said.count("| lenet | all |") == 1
    assert "| all | 512 | 512 | 9,437,184 |" in said
