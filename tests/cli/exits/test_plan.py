"""`iopt exits plan`: what it prints, what it writes, how it exits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from iopt.cli.exits import options
from iopt.exits import files, methods
from iopt.exits.blocks import Granularity
from iopt.exits.confidence import Rule
from iopt.exits.one_pass import TIER
from iopt.exits.problem import Energy
from iopt.result import Status
from tests.cli.conftest import Iopt

ASKED = ("b-alexnet", "--tiers", "mobile-edge-cloud", "--accuracy", "0.8", "--latency", "5 ms")
GOLDEN = (*ASKED, "--energy", "unconditional", "--link-rate", "receiver")

WORKLOAD = """
cluster: mobile-edge-cloud
energy: unconditional
applications:
  - {name: camera, network: b-alexnet, accuracy: 0.8, latency: 5 ms, count: 2}
  - {network: b-lenet, accuracy: 0.95, latency: 1 ms, rate: 10 Hz}
"""


def test_the_help_names_every_choice() -> None:
    assert sorted(options.METHODS.split("|")) == sorted(methods.METHODS)
    assert f"`{TIER}`" in options.TIER_METHODS
    for mine, known in ((options.Energy, Energy), (options.Rule, Rule), (options.Granularity, Granularity)):
        assert set(mine) == set(get_args(known))


def test_the_released_constants(iopt: Iopt) -> None:
    golden = next(
        row
        for row in json.loads((Path(__file__).parents[2] / "data" / "fin.json").read_text())[
            "exact_optimum_unconditional_receiver_rate"
        ]
        if (row["network"], row["accuracy"], row["latency_ms"]) == ("b-alexnet", 0.8, 5)
    )
    code, out, err = iopt("exits", "plan", *GOLDEN, "-o", "placement.json")
    assert (code, err) == (0, "written to placement.json\n")
    file = files.load("placement.json")
    assert file.result.status is Status.OPTIMAL
    assert file.result.objective == pytest.approx(golden["energy_j"], abs=5e-6)
    assert file.plan is not None
    assert [node + 1 for node in file.plan.placements[0].nodes] == golden["placement"]
    lines = [line.split() for line in out.splitlines()]
    assert [line[1] for line in lines if line and line[0].startswith("block-")] == [*["device"] * 3, *["edge"] * 2]
    assert (
        "energy 100.141 mJ = compute 65.357 mJ + transfer 34.784 mJ\nlatency 4.691 ms of 5.000 ms; accuracy 0.8595"
        in out
    )
    assert out.rstrip().endswith("no placement needs less than 100.141 mJ (gap 0 %)")


def test_show_and_check(iopt: Iopt) -> None:
    planned = iopt("exits", "plan", *GOLDEN, "-o", "placement.json")
    assert iopt("exits", "show", "placement.json") == (0, planned.out, "")
    whose = "placement.json: every claim that can be checked is true (OPTIMAL, b-alexnet on mobile-edge-cloud)"
    assert iopt("exits", "check", "placement.json") == (0, f"{whose}; taken as stated: the bound 100.141 mJ\n", "")
    data = json.loads(Path("placement.json").read_text())
    data["evaluation"]["applications"][0]["blocks"][3]["node"] = "cloud"
    data["result"]["objective_j"] = 0.05
    Path("placement.json").write_text(json.dumps(data))
    code, out, err = iopt("exits", "check", "placement.json")
    assert code == 2
    assert [line.split(" is ")[0] for line in out.splitlines()] == [
        "placement.json: evaluation.applications[0].blocks[3].node",
        "placement.json: result.objective_j",
        "placement.json: result.gap",
        "placement.json: result.bound_j",
    ][: len(out.splitlines())]
    assert "claims are not true: changed by hand" in err
    assert iopt("exits", "show", "placement.json").code == 2


def test_each_kind_of_plan_says_what_reads_it(iopt: Iopt) -> None:
    assert iopt("exits", "plan", *ASKED, "-o", "placement.json").code == 0
    assert iopt("plan", "net.json", "--cluster", "mixed2", "--method", "dp", "-o", "plan.json").code == 0
    placement = "got 'iopt/exits-placement/1', a placement, read by `iopt exits show` and `iopt exits check`\n"
    split = "got 'iopt/partition-plan/1', a plan, read by `iopt show` and `iopt check`\n"
    for command in ("show", "check"):
        code, out, err = iopt(command, "placement.json")
        assert (code, out) == (2, "")
        assert err == f"iopt: placement.json: schema: expected 'iopt/partition-plan/1', {placement}"
        assert iopt("exits", command, "plan.json").err.endswith(f"expected 'iopt/exits-placement/1', {split}")


def test_json_is_the_placement_file(iopt: Iopt) -> None:
    code, out, err = iopt("exits", "plan", *ASKED, "--method", "fin", "--gamma", "100", "--json", "-o", "p.json")
    assert (code, err) == (0, "written to p.json\n")
    assert json.loads(out) == json.loads(Path("p.json").read_text())
    assert json.loads(out)["result"]["method"] == "fin"


def test_options_reach_the_problem(iopt: Iopt) -> None:
    said = iopt(
        *("exits", "plan", "b-lenet", "--tiers", "efficient-edge", "--accuracy", "0.9", "--latency", "20 ms"),
        *("--energy", "unconditional", "--link-rate", "receiver", "--expected-latency", "--source", "edge"),
        *("--unpinned", "--any-order", "--rate", "10 /s", "--json"),
    )
    problem = files.from_data(json.loads(said.out), "p.json").problem
    (application,) = problem.applications
    assert (problem.energy, problem.link_rate, problem.latency) == ("unconditional", "receiver", "expected")
    assert (problem.pinned, problem.tier_order) == (False, False)
    assert (application.source, application.rate_per_s, application.latency_s) == ("edge", 10.0, 0.02)


@pytest.mark.parametrize("method", [*options.METHODS.split("|"), "all-edge"])
def test_every_method_by_name(iopt: Iopt, method: str) -> None:
    code, _, err = iopt("exits", "plan", *ASKED, "--method", method, "-o", "p.json")
    assert (code, err) == (0, "written to p.json\n")
    assert iopt("exits", "check", "p.json").code == 0


def test_a_workload(iopt: Iopt) -> None:
    Path("work.yaml").write_text(WORKLOAD)
    code, out, _ = iopt("exits", "plan", "work.yaml", "-o", "placement.json")
    assert code == 0
    assert "OPTIMAL by milp" in out
    assert [line.split()[0] for line in out.splitlines() if "device 1-3" in line] == ["camera-1", "camera-2", "b-lenet"]
    assert "energy 201.676 mJ/s" in out
    assert iopt("exits", "check", "placement.json").code == 0
    code, out, _ = iopt("exits", "compare", "work.yaml", "--json")
    assert code == 0
    found = {row["method"]: row for row in json.loads(out)}
    assert found["milp"]["energy_j"] <= found["reroute"]["energy_j"] * (1 + 1e-9)
    assert found["fin"]["gap"] > 0
    assert [cost["name"] for cost in found["fin"]["applications"]] == ["camera-1", "camera-2", "b-lenet"]


INFEASIBLE = {
    "accuracy 0.9 is out of reach: the best exit of b-alexnet has 0.8595": ("--accuracy", "0.9"),
    "latency 1 ms is out of reach: the least that any placement takes is 2.27631 ms": ("--latency", "1 ms"),
    (
        "the limits on compute leave no room for it; "
        "all devices together: compute: at least 3.54536e+12 op/s are needed, the limit is 4.764e+11; "
        "device: compute: at least 2.262e+12 op/s are needed, the limit is 1.1e+10"
    ): ("--rate", "100 kHz"),
}


@pytest.mark.parametrize("message", INFEASIBLE)
def test_infeasible_is_an_answer(iopt: Iopt, message: str) -> None:
    code, out, err = iopt("exits", "plan", *ASKED, *INFEASIBLE[message], "-o", "placement.json")
    assert code == 3
    assert "INFEASIBLE" in out
    written, said = err.splitlines()
    assert (written, said) == ("written to placement.json", f"iopt: infeasible: b-alexnet: {message}")
    assert message in " ".join(iopt("exits", "show", "placement.json").out.split())
    assert "taken as stated: that no plan keeps the limits" in iopt("exits", "check", "placement.json").out


def test_a_method_that_finds_nothing(iopt: Iopt) -> None:
    code, out, err = iopt("exits", "plan", *ASKED, "--method", "fin", "--gamma", "1", "--latency", "4 ms")
    assert code == 4
    assert "UNKNOWN by fin" in out
    hint = "gamma is 1, and each of 5 blocks takes one of these depths or more; try gamma 50"
    assert err == f"iopt: no plan that keeps every limit was found: fin finds no placement for b-alexnet: {hint}\n"
    code, out, err = iopt("exits", "plan", *ASKED, "--method", "all-device")
    assert code == 4
    assert err.startswith("iopt: the plan of all-device breaks a limit: b-alexnet: takes 0.008")
