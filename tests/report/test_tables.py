"""Tables hold what the evaluator says, and fit a terminal of 100 columns."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from iopt.partition.evaluation import evaluate
from iopt.partition.methods import METHODS, solve
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.report.comparison import rows, to_list
from iopt.report.comparison_table import print_comparison
from iopt.report.console import console
from iopt.report.summary import print_result
from iopt.result import Result, Status
from tests.instances import chain, cluster, conv, linear, max_pool
from tests.partition.plan_files import BOUND_S, CLUSTER, LATENCY_S, PLAN, PROBLEM, RESULT

WIDTH = 100


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))


def text(problem: Problem, result: Result[Plan]) -> str:
    file = io.StringIO()
    print_result(console(file), problem, result, None if result.plan is None else evaluate(problem, result.plan))
    return file.getvalue()


def cells(out: str) -> list[list[str]]:
    return [line.split() for line in out.splitlines()]


def test_a_plan_with_every_kind_of_phase() -> None:
    found = cells(text(PROBLEM, RESULT))
    evaluation = evaluate(PROBLEM, PLAN)
    times = {phase.kind: f"{phase.time_s * 1e3:,.3f}" for phase in evaluation.phases}
    compute = [f"{value * 1e3:,.3f}" for value in evaluation.compute_by_operator_s]
    total = next(line for line in found if line[:1] == ["total"])
    (first, gathered, second, scattered, third, output) = (
        line for line in found[: found.index(total)] if set(line) & {*times, "op1", "op2", "op3"}
    )
    assert first[:5] == ["op1", "H", "2", "2", "input"]
    assert first[-2:] == [times["input"], compute[0]]
    assert (gathered[0], gathered[-1]) == ("gather", times["gather"])
    assert second[:6] == ["op2", "IC", "rows", "1", "3", "scatter"]
    assert scattered[:5] == ["to", "OC", "2", "4", "scatter"]
    assert third[:5] == ["op3", "IC", "2", "4", "direct"]
    assert third[-1] == compute[2]
    assert (output[0], output[-1]) == ("output", times["output"])
    assert total[1:] == [
        str(evaluation.bytes),
        "B",
        *(f"{value * 1e3:,.3f}" for value in (evaluation.transfer_s, evaluation.compute_s)),
    ]


def test_the_lines_around_the_tables() -> None:
    out = text(PROBLEM, RESULT)
    assert out.startswith("net on hand: 14.62 kFLOP, 3 operators, 2 devices\nOPTIMAL by milp (HiGHS 1) in 1.50 s\n")
    assert out.rstrip().endswith(f"no plan is below {BOUND_S * 1e3:,.3f} ms (gap 40.0 %; relayout = concatenation)")
    assert f"latency {LATENCY_S * 1e3:,.3f} ms = compute " in out


def test_one_device_is_said_to_be_fastest_where_that_is_proved() -> None:
    alone = solve(PROBLEM, "single")
    assert alone.plan is not None and alone.objective is not None
    (used,) = alone.plan.devices
    name = PROBLEM.cluster.devices[used].name
    unproved = text(PROBLEM, replace(alone, bound=alone.objective * 0.99)).splitlines()
    proved = text(PROBLEM, replace(alone, bound=alone.objective)).splitlines()
    assert unproved[-1] == text(PROBLEM, alone).splitlines()[-1] == f"this plan uses one device only: {name}"
    assert proved[-1] == f"one device is fastest: {name}; splitting does not pay here"
    several = text(PROBLEM, RESULT)
    assert "one device" not in several

    of_one = replace(PROBLEM, cluster=cluster((1e6,)))
    assert "one device" not in text(of_one, solve(of_one, "single"))


def test_names_are_shown_as_they_are() -> None:
    devices = (replace(CLUSTER.devices[0], name="[red]a[/red]"), replace(CLUSTER.devices[1], name=":smile:"))
    out = text(replace(PROBLEM, cluster=replace(CLUSTER, devices=devices)), RESULT)
    assert "[red]a[/red]" in out
    assert ":smile:" in out


def test_a_result_without_a_plan() -> None:
    result = Result[Plan]("milp", Status.UNKNOWN, None, None, 0.25, 60.0)
    assert text(PROBLEM, result).splitlines()[1:] == [
        "UNKNOWN by milp in 60.0 s",
        "no plan is below 250.000 ms (relayout = concatenation)",
    ]


@pytest.mark.parametrize("devices", [1, 4, 8])
def test_tables_fit_the_terminal(devices: int) -> None:
    layers = [conv(512, 3, padding=1, pooling=max_pool(2)), conv(1024, 3, padding=1), linear(4096), linear(1000)]
    network = chain("features", (3, 64, 64), layers)
    problem = Problem(
        network, cluster([1e8 * (1 + n) for n in range(devices)], [1e7] * devices, memory_bytes=[2**40] * devices)
    )
    results = [solve(problem, name) for name in METHODS if name not in ("milp", "dp")]
    exact = [replace(result, solver="HiGHS", bound=(result.objective or 0) * 0.999999) for result in results[:1]]
    lost = replace(exact[0], status=Status.INFEASIBLE, plan=None, runtime_s=700.0)
    file = io.StringIO()
    print_comparison(console(file), problem, rows(problem, [*results, *exact, lost]))
    out = file.getvalue() + "".join(text(problem, result) for result in results)
    assert max(map(len, out.splitlines())) <= WIDTH
    assert "…" not in out
    assert all(f" device{n}" not in out for n in range(devices))


def test_gaps_are_to_the_best_bound_of_any_method() -> None:
    heuristic = replace(RESULT, method="iop", status=Status.FEASIBLE, bound=None, solver=None)
    outside = replace(heuristic, method="modnn")
    within = Plan(tuple(replace(split, via=None) for split in PLAN.splits))
    latency = evaluate(PROBLEM, within).latency_s
    exact = replace(RESULT, plan=within, objective=latency, bound=latency / 2)
    looser = replace(exact, bound=latency / 4)
    nothing = Result[Plan]("milp", Status.INFEASIBLE, None, None, None, 1.0)
    found = to_list(rows(PROBLEM, [replace(exact, bound=None), outside, exact, looser, nothing]))
    assert [row["gap"] for row in found] == [0.5, None, 0.5, 0.5, None]
    assert {row["bound_s"] for row in found} == {latency / 2}
    assert found[4]["latency_s"] is found[4]["memory_bytes"] is None


def test_a_plan_that_breaks_a_cap_has_no_gap() -> None:
    capped = replace(PROBLEM, cluster=CLUSTER.with_memory((10, None)))
    broken = solve(capped, "oc")
    assert broken.status is Status.UNKNOWN
    exact = replace(solve(capped, "dp"), method="milp", bound=(broken.objective or 0) * 2)
    assert [row.gap for row in rows(capped, [broken, exact])] == [None, exact.gap]
    (found, _) = to_list(rows(capped, [broken, exact]))
    assert found["gap"] is None
    assert found["violations"]


def test_the_fastest_plan_that_keeps_the_caps_stands_out() -> None:
    problem = replace(PROBLEM, cluster=CLUSTER.with_memory((10, None)))
    results = [solve(problem, name) for name in ("coedge", "single", "oc")]
    terminal = Console(file=io.StringIO(), width=WIDTH, force_terminal=True, color_system="standard")
    print_comparison(terminal, problem, rows(problem, results))
    out = terminal.file.getvalue()  # type: ignore[attr-defined]
    assert "INFEASIBLE" not in out
    assert "\x1b[31m" in out, "memory above a cap is red"


def test_nothing_is_cut_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = rows(PROBLEM, [solve(PROBLEM, name) for name in METHODS if name != "milp"])
    shown = {}
    for columns in (WIDTH, 60):
        monkeypatch.setenv("COLUMNS", str(columns))
        file = io.StringIO()
        print_comparison(console(file), PROBLEM, compared)
        shown[columns] = [line.split() for line in file.getvalue().splitlines() if line.split()[:1] == ["oc"]]
    assert shown[60] == shown[WIDTH] != []
