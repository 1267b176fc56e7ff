"""Tables of placements hold what the evaluator says, and nothing in them is cut short."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from iopt.cluster import Cluster
from iopt.exits.evaluation import evaluate
from iopt.exits.execution import Execution
from iopt.exits.files import load_profile
from iopt.exits.fronts import Front, Point, front
from iopt.exits.methods import solve
from iopt.exits.plan import Placement, Plan
from iopt.exits.problem import Application, Problem
from iopt.report.console import console
from iopt.report.exits_comparison import rows, to_list
from iopt.report.exits_comparison_table import print_comparison
from iopt.report.exits_execution import print_execution
from iopt.report.exits_execution import rows as execution_rows
from iopt.report.exits_execution import to_dict as execution_to_dict
from iopt.report.exits_front import print_front
from iopt.report.exits_front import to_list as front_to_list
from iopt.report.exits_summary import print_result
from iopt.report.exits_units import leaving, path, total_energy
from iopt.result import Result, Status

WIDTH = 100
NETWORK = load_profile("b-alexnet").network
ONE = Application(NETWORK, 0.8, 0.005)
PROBLEM = Problem((ONE,), Cluster.load("mobile-edge-cloud"))
PLAN = Plan((Placement("b-alexnet", 2, (0, 0, 0, 1, 1)),))
SEVERAL = replace(PROBLEM, applications=tuple(replace(ONE, name=f"app-{n}", rate_per_s=10.0) for n in range(4)))


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))


def printed(show: Callable[[Console], None]) -> str:
    file = io.StringIO()
    show(console(file))
    return file.getvalue()


def text(problem: Problem, result: Result[Plan]) -> str:
    found = None if result.plan is None else evaluate(problem, result.plan)
    return printed(lambda out: print_result(out, problem, result, found))


def result(problem: Problem, plan: Plan, bound: float | None = None) -> Result[Plan]:
    return Result("hand", Status.FEASIBLE, plan, evaluate(problem, plan).energy_j, bound, 0.5)


def test_a_line_for_every_block() -> None:
    out = text(PROBLEM, result(PROBLEM, PLAN, 0.02))
    (cost,) = evaluate(PROBLEM, PLAN).applications
    lines = [line.split() for line in out.splitlines() if line.startswith((" block-", " total"))]
    assert [line[1] for line in lines[:-1]] == ["device"] * 3 + ["edge"] * 2
    for line, block, reach in zip(lines[:-1], cost.blocks, NETWORK.reach, strict=True):
        energy, times = (
            (one + other, one, other)
            for one, other in ((block.compute_j, block.transfer_j), (block.compute_s, block.transfer_s))
        )
        assert line[2:10] == [f"{reach * 100:.1f}", "%", *(f"{value * 1e3:,.3f}" for value in (*energy, *times))]
    assert [line[10:] for line in lines[:-1]] == [
        ["exit-1", "65.6", "%"],
        [],
        ["exit-2", "25.2", "%"],
        [],
        ["final", "9.2", "%"],
    ]
    assert lines[-1][1] == f"{cost.energy_j * 1e3:,.3f}"
    assert "device to edge" in out
    assert out.rstrip().endswith(
        f"no placement needs less than 20.000 mJ (gap {(1 - 0.02 / cost.energy_j) * 100:.1f} %)"
    )
    assert max(map(len, out.splitlines())) <= WIDTH


def test_small_amounts_have_a_prefix_of_their_own() -> None:
    problem = Problem((Application(load_profile("b-lenet").network, 0.9, 0.005),), PROBLEM.cluster)
    out = text(problem, solve(problem))
    assert "energy uJ" in out
    assert "time us" in out
    assert total_energy(problem, 0.0) == "0.000 J"
    assert total_energy(problem, 0.0, like=0.1) == "0.000 mJ"


def test_several_applications_have_a_line_each() -> None:
    plan = Plan(tuple(replace(PLAN.placements[0], application=app.name) for app in SEVERAL.applications))
    out = text(SEVERAL, result(SEVERAL, plan))
    lines = [line for line in out.splitlines() if line.startswith(" app-")]
    assert len(lines) == 4
    assert all("device 1-3, edge 4-5" in line and "10 Hz" in line for line in lines)
    assert "block-1" not in out, "one line is enough for each of so many"
    assert f"energy {evaluate(SEVERAL, plan).energy_j * 1e3:,.3f} mJ/s" in out


def test_a_result_without_a_plan() -> None:
    lost = Result[Plan]("milp", Status.UNKNOWN, None, None, 0.25, 60.0)
    assert text(PROBLEM, lost).splitlines()[2:] == [
        "UNKNOWN by milp in 60.0 s",
        "no placement needs less than 250.000 mJ",
    ]


def test_limits_that_are_broken_are_red() -> None:
    fast = replace(PROBLEM, applications=(replace(ONE, rate_per_s=1e4),))
    terminal = Console(file=io.StringIO(), width=WIDTH, force_terminal=True, color_system="standard")
    print_result(terminal, fast, result(fast, PLAN), evaluate(fast, PLAN))
    out = terminal.file.getvalue()  # type: ignore[attr-defined]
    assert any("\x1b[31m" in line and "device: compute" in line for line in out.splitlines())


def test_memory_is_in_binary_units_as_everywhere() -> None:
    net = replace(NETWORK, blocks=(replace(NETWORK.blocks[0], weight_bytes=3 * 2**20), *NETWORK.blocks[1:]))
    devices = (replace(PROBLEM.cluster.devices[0], memory_bytes=4 * 2**20), *PROBLEM.cluster.devices[1:])
    problem = replace(
        PROBLEM, applications=(replace(ONE, network=net),), cluster=replace(PROBLEM.cluster, devices=devices)
    )
    lines = [" ".join(line.split()) for line in text(problem, result(problem, PLAN)).splitlines()]
    assert "device: memory 3.0 MiB 4.0 MiB 75.0 %" in lines


def test_a_long_list_of_limits_is_cut() -> None:
    campus = Cluster.load("campus")
    sources = [device.name for device in campus.devices[:16]]
    problem = Problem(tuple(replace(ONE, name=name, latency_s=1.0, source=name) for name in sources), campus)
    plan = Plan(tuple(Placement(name, 2, (index,) * 5) for index, name in enumerate(sources)))
    assert " 4 more " in text(problem, result(problem, plan))


def test_a_comparison() -> None:
    broken = solve(PROBLEM, "all-device")
    best, fin = solve(PROBLEM), solve(PROBLEM, "fin")
    none = Result[Plan]("milp", Status.INFEASIBLE, None, None, None, 1.0)
    found = rows(PROBLEM, [broken, fin, best, none])
    assert [row.gap is None for row in found] == [True, False, False, True]
    data = to_list(found)
    assert data[1]["gap"] == pytest.approx(1 - (best.bound or 0) / (fin.objective or 1))
    assert data[3]["energy_j"] is data[3]["applications"] is None
    out = printed(lambda screen: print_comparison(screen, PROBLEM, found))
    assert "all-device breaks a limit: b-alexnet: takes " in out
    assert max(map(len, out.splitlines())) <= WIDTH
    lost = rows(PROBLEM, [solve(PROBLEM, "fin", gamma=1)])
    assert "fin finds no placement for b-alexnet" in printed(lambda screen: print_comparison(screen, PROBLEM, lost))
    several = rows(SEVERAL, [solve(SEVERAL, "fin")])
    assert "of latency" in printed(lambda screen: print_comparison(screen, SEVERAL, several))


def test_a_front() -> None:
    found = front(PROBLEM)
    out = printed(lambda screen: print_front(screen, PROBLEM, found))
    lines = [line.split() for line in out.splitlines()]
    for point in front_to_list(PROBLEM, found):
        cells = [f"{point['accuracy']:.4g}", f"{point['latency_s'] * 1e3:,.3f}", f"{point['energy_j'] * 1e3:,.3f}"]
        assert [*cells, point["exit"]] in [line[:4] for line in lines]
    assert "may be missing" not in out
    assert "may be missing" in printed(lambda screen: print_front(screen, PROBLEM, replace(found, is_complete=False)))


def test_a_front_with_thresholds() -> None:
    point = Point(0.1, 0.004, 0.8, "final", PLAN, (0.2943062576643589, 0.5))
    out = printed(lambda screen: print_front(screen, PROBLEM, Front((point,), True)))
    assert "0.2943062576643589,0.5 " in out, "every digit, as --threshold reads it"
    assert "1 placement that no other one beats" in out
    assert front_to_list(PROBLEM, Front((point,), True))[0]["thresholds"] == [0.2943062576643589, 0.5]


RUN = Execution(100, 86, (65, 25, 10), {0: 1e9, 1: 5e8}, {(0, 1): 5_000_000}, {0: 235, 1: 20}, {(0, 1): 10})


def test_an_execution() -> None:
    """What is predicted is the expected energy, also where the problem counts all."""
    unconditional = replace(PROBLEM, energy="unconditional")
    found = execution_rows(unconditional, PLAN, 0, RUN)
    assert found[1].predicted == evaluate(PROBLEM, PLAN).applications[0].energy_j
    assert found[2].predicted == evaluate(replace(PROBLEM, latency="expected"), PLAN).applications[0].latency_s
    assert [row.counted for row in found[3:6]] == [0.65, 0.25, 0.1]
    out = printed(lambda screen: print_execution(screen, PROBLEM, 0, found, RUN, PLAN, "entropy, thresholds 0.5"))
    assert "b-alexnet on mobile-edge-cloud, carried out on 100 samples" in out
    assert "+0.05 points" in out, "accuracy 86 % beside 85.95 %"
    assert "measured" not in out
    assert out.rstrip().endswith("are the operations and bits counted, at the cluster's rates and prices")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert any(line.startswith("on device ") and " 10 Mop " in line for line in lines)
    assert any(line.startswith("device to edge ") and " 50 kbit " in line for line in lines)


def test_what_is_predicted_of_devices_and_links_is_what_the_energy_is_made_of() -> None:
    found = execution_rows(PROBLEM, PLAN, 0, RUN)
    devices = {device.name: device for device in PROBLEM.cluster.devices}
    ops = {row.key[0]: row.predicted for row in found if row.unit == "op"}
    bits = {row.key: row.predicted for row in found if row.unit == "bit"}
    energy = sum((devices[name].power_w or 0) / devices[name].flops_per_s * amount for name, amount in ops.items())
    energy += sum(amount * sum(devices[end].energy_per_bit_j or 0 for end in ends) for ends, amount in bits.items())
    assert energy == pytest.approx(found[1].predicted)
    data = execution_to_dict(found, RUN)
    assert data["ops"]["edge"] == {"predicted": ops["edge"], "counted": 5e6}
    assert data["bits"] == [
        {"sender": "device", "receiver": "edge", "predicted": bits["device", "edge"], "counted": 50_000.0}
    ]


def test_the_deepest_exit_takes_the_rest() -> None:
    assert leaving(ONE, 1) == pytest.approx([0.656, 0.344])
    assert sum(leaving(ONE, 2)) == pytest.approx(1)


def test_paths_in_words() -> None:
    assert path(PROBLEM, PLAN.placements[0]) == "device 1-3, edge 4-5"
    assert path(PROBLEM, Placement("b-alexnet", 2, (0, 1, 0, 0, 2))) == "device 1, edge 2, device 3-4, cloud 5"


def test_what_never_ends_is_null() -> None:
    campus = Cluster.load("campus")
    cloud = next(index for index, device in enumerate(campus.devices) if device.tier == "cloud")
    problem = Problem((ONE,), campus)
    plan = Plan((Placement("b-alexnet", 2, (0, 0, 0, 0, cloud)),))
    assert np.isinf(evaluate(problem, plan).applications[0].latency_s)
    (row,) = to_list(rows(problem, [result(problem, plan)]))
    assert row["applications"][0]["latency_s"] is None
