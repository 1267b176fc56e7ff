"""What a run's tables say of its times."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from iopt.partition.runtime.execution import Execution
from iopt.report.console import console
from iopt.report.execution import print_execution
from tests.partition.runtime.test_trace import executed


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def lines(found: Execution) -> list[str]:
    file = io.StringIO()
    print_execution(console(file), found)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_the_latency_is_beside_the_least_and_the_most() -> None:
    found = executed((1.0, 3.0, 2.0))
    least, median, most = (f"{factor * min(found.latencies_s) * 1e3:,.3f}" for factor in (1, 2, 3))
    predicted = f"predicted for {found.problem.cluster.name} {found.predicted.latency_s * 1e3:,.3f} ms"
    said = lines(found)
    where = said.index(f"latency {median} ms, on this machine, median of 3 from {least} to {most}")
    assert said[where + 1] == predicted
    assert f"latency {least} ms, on this machine" in lines(executed((1.0,)))


def test_emulated_runs_say_so() -> None:
    said = lines(replace(executed((1.0,)), emulated=("compute", "network")))
    assert any(line.endswith(" ms, emulated on this machine") for line in said)


def test_why_measured_rows_do_not_add_up_is_said_in_one_line() -> None:
    several, one = lines(executed((1.0, 3.0))), lines(executed((1.0,)))
    assert [line for line in several if "add up" in line] == [
        "measured: each row is a median of its own, so rows do not add up to the total, the median latency"
    ]
    assert [line for line in one if "add up" in line] == [
        "measured: no device waits for others between rows, so rows do not add up to the total, the latency"
    ]
