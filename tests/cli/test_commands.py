"""The commands besides `plan`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from iopt.cli.codes import Exit
from iopt.partition import methods
from iopt.zoo import ENTRIES
from tests.cli.conftest import Iopt

HOME = ("net.json", "--cluster", "mixed2")


def test_compare_has_every_method(iopt: Iopt) -> None:
    code, out, err = iopt("compare", *HOME)
    assert (code, err) == (0, "")
    lines = [line.split()[:2] for line in out.splitlines() if line.strip()]
    found = [line[0] for line in lines if line[1:] in (["FEASIBLE"], ["OPTIMAL"])]
    assert sorted(found) == sorted(methods.METHODS)
    assert "device-2" in out
    assert "no plan is below " in out


def test_compare_as_json(iopt: Iopt) -> None:
    code, out, err = iopt("compare", *HOME, "--json")
    assert (code, err) == (0, "")
    rows = {row["method"]: row for row in json.loads(out)}
    assert sorted(rows) == sorted(methods.METHODS)
    exact = rows["milp"]
    keys = "method status latency_s compute_s transfer_s bytes connections memory_bytes violations"
    assert list(exact) == [*keys.split(), "bound_s", "gap", "runtime_s", "solver", "message"]
    assert exact["status"] == "OPTIMAL"
    assert rows["modnn"]["gap"] is None
    for row in rows.values():
        assert row["bound_s"] == exact["bound_s"]
        assert row["gap"] is None or row["gap"] >= exact["gap"]


def test_compare_says_what_the_exact_method_says(iopt: Iopt) -> None:
    code, out, err = iopt("compare", "net.json", "--cluster", "small.yaml")
    assert code == 3
    assert "INFEASIBLE" in out
    assert err.startswith("iopt: infeasible: ")


def test_show_is_what_plan_showed(iopt: Iopt) -> None:
    planned = iopt("plan", *HOME, "--method", "dp", "-o", "plan.json")
    assert iopt("show", "plan.json") == (0, planned.out, "")


def test_check_lists_what_is_not_true(iopt: Iopt) -> None:
    iopt("plan", *HOME, "--method", "iop", "-o", "plan.json")
    code, out, err = iopt("check", "plan.json")
    assert (code, out, err) == (0, "plan.json: every claim that can be checked is true (FEASIBLE, net on mixed2)\n", "")
    data = json.loads(Path("plan.json").read_text())
    data["evaluation"]["compute_s"] = data["result"]["objective_s"] = 0.5
    Path("plan.json").write_text(json.dumps(data))
    code, out, err = iopt("check", "plan.json")
    assert code == 2
    assert [line.split(" is ")[0] for line in out.splitlines()] == [
        "plan.json: evaluation.compute_s",
        "plan.json: result.objective_s",
    ]
    assert err == "iopt: plan.json: 2 claims are not true: changed by hand, or made for another model\n"
    code, out, err = iopt("show", "plan.json")
    assert (code, out) == (2, "")
    assert err.startswith("iopt: plan.json: changed by hand, or made for another model: evaluation.compute_s is 0.5; ")


def test_check_names_what_it_cannot_check(iopt: Iopt) -> None:
    iopt("plan", *HOME, "--method", "dp", "-o", "plan.json")
    data = json.loads(Path("plan.json").read_text())
    data["result"].update(status="OPTIMAL", bound_s=data["result"]["objective_s"], gap=0)
    Path("plan.json").write_text(json.dumps(data))
    bound = f"{data['result']['objective_s'] * 1e3:,.3f} ms"
    said = f"true (OPTIMAL, net on mixed2); taken as stated: the bound {bound}\n"
    assert iopt("check", "plan.json") == (0, f"plan.json: every claim that can be checked is {said}", "")

    iopt("plan", "net.json", "--cluster", "small.yaml", "-o", "none.json")
    code, out, _ = iopt("check", "none.json")
    assert code == 0
    assert out.endswith("true (INFEASIBLE, net on small); taken as stated: that no plan keeps the caps\n")


def test_check_refutes_what_a_plan_refutes(iopt: Iopt) -> None:
    iopt("plan", *HOME, "--method", "dp", "-o", "plan.json")
    data = json.loads(Path("plan.json").read_text())
    data["operators"] = data["evaluation"] = None
    data["result"].update(status="INFEASIBLE", objective_s=None)
    Path("plan.json").write_text(json.dumps(data))
    code, out, err = iopt("check", "plan.json")
    assert code == 2
    assert "plan.json: result.status is INFEASIBLE; " in out
    assert err == "iopt: plan.json: a claim is not true: changed by hand, or made for another model\n"


def test_graph_writes_what_it_reads(iopt: Iopt) -> None:
    code, out, err = iopt("graph", "net.json")
    assert (code, err) == (0, "")
    assert json.loads(out) == json.loads(Path("net.json").read_text())
    code, out, err = iopt("graph", "net.json", "-o", "again.json")
    assert (code, out, err) == (0, "", "written to again.json: 3 operators, 516 parameters\n")
    assert json.loads(Path("again.json").read_text()) == json.loads(Path("net.json").read_text())


def test_models_and_clusters(iopt: Iopt) -> None:
    listed = iopt("models")
    assert listed.code == 0
    assert all(f" {name} " in listed.out for name in ENTRIES)
    listed = iopt("clusters")
    assert listed.code == 0
    assert " cal4 " in listed.out
    one = iopt("clusters", "mixed4").out
    assert "80 Mbit/s" in one
    assert "switched network, connections 0.200 ms per phase; input on device-1, output on device-1" in one
    assert not {"tier", "power", "nJ/bit", "links"} & set(one.split())
    campus = [line.split() for line in iopt("clusters", "campus").out.splitlines()]
    assert ["device", "tier", "compute", "memory", "cap", "overhead", "ms", "power", "nJ/bit", "up", "down"] in campus
    assert ["device", "device,", "cloud", "none"] in campus
    assert ["device", "edge", "none", "(24", "of", "144)"] in campus
    assert ["edge", "cloud", "500", "Mbit/s"] in campus
    assert "300 Mbit/s" not in iopt("clusters", "small.yaml").out
    assert json.loads(iopt("clusters", "--schema").out)["title"] == "ClusterFile"


def test_help_and_version(iopt: Iopt) -> None:
    assert iopt() == iopt("--help")
    code, out, err = iopt("--help")
    assert (code, err) == (0, "")
    assert out.startswith("Usage: iopt ")
    assert iopt("--version").out.startswith("iopt")


def test_every_exit_code_is_in_the_help_and_on_the_page(iopt: Iopt) -> None:
    said = iopt("--help").out.split("Exit codes:")[1]
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text().split("## Exit codes")[1]
    expected = [str(int(code)) for code in Exit]
    assert re.findall(r"\b\d+\b", said) == expected
    assert re.findall(r"^\| (\d+) \|", page, re.MULTILINE) == expected


@pytest.mark.parametrize(
    "command", ["plan", "compare", "run", "show", "check", "graph", "models", "clusters", "profile"]
)
def test_every_command_has_help(iopt: Iopt, command: str) -> None:
    code, out, err = iopt(command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: iopt {command} ")
