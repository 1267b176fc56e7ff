"""`iopt tile plan`, `evaluate`, `show` and `check`: what they print, what they write, how they exit."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import get_args

import pytest

from iopt.cli.tiling import options
from iopt.report.units import percent
from iopt.result import Status
from iopt.tiling import Problem, evaluate, files, methods, parse, solve, written
from iopt.tiling.files.host_file import Machine, save_host
from iopt.tiling.grids import Grid
from iopt.tiling.heuristics.mafat import Bottom
from iopt.tiling.predictors import EXECUTORS, Backend, Predictor, Weights
from iopt.tiling.problem import Crop, Objective
from tests.cli.conftest import Iopt
from tests.cli.test_startup import imported_by
from tests.cli.tiling.conftest import DEEP, host_of

LIMIT = 19 * 2**10
ASKED = ("deep.json", "--memory", "19 KiB", "--weights", "none")
PROBLEM = Problem(DEEP, LIMIT, weights="none")


def test_the_help_names_every_choice() -> None:
    assert options.METHODS.split("|") == list(methods.METHODS)
    for mine, known in (
        (options.Objective, Objective),
        (options.Predictor, Predictor),
        (options.Weights, Weights),
        (options.Backend, Backend),
        (options.Grid, Grid),
        (options.Crop, Crop),
        (options.Bottom, Bottom),
    ):
        assert [choice.value for choice in mine] == list(get_args(known))
    assert {choice.value for choice in options.Executor} == set(EXECUTORS)


def test_a_plan(tile: Iopt) -> None:
    code, out, err = tile("plan", *ASKED, "-o", "config.json")
    assert (code, err) == (0, "written to config.json\n")
    file, expected = files.load("config.json"), solve(PROBLEM)
    assert expected.plan is not None
    assert (file.problem, file.plan, file.result.status) == (PROBLEM, expected.plan, Status.OPTIMAL)
    cost = evaluate(PROBLEM, expected.plan)
    assert 1.05 < cost.mac_factor < 1.2, "the limit binds"
    lines = [line.split() for line in out.splitlines()]
    assert out.startswith(
        f"deep within 19.00 KiB: {PROBLEM.macs / 1e3:.4g} kMAC, 6 layers, input 1x3x24x32\npredictor lean, "
    )
    first = expected.plan.groups[0]
    assert any(
        line[:1] == [f"{first.first}-{first.last}"] and f"{first.rows}x{first.columns}" in line for line in lines
    )
    assert f"\n{written(expected.plan)}\npeak {cost.peak_bytes / 2**10:.2f} KiB of 19.00 KiB, at " in out
    assert f"{cost.mac_factor:.4f} x that of the untiled network\n" in out
    assert "\nno configuration with at most 8 x 8 tiles needs less than " in out
    assert out.rstrip().endswith("(gap 0 %)")


def test_show_and_check(tile: Iopt) -> None:
    planned = tile("plan", *ASKED, "-o", "config.json")
    assert tile("show", "config.json") == (0, planned.out, "")
    whose = "config.json: every claim that can be checked is true (OPTIMAL, deep within 19.00 KiB)\n"
    assert tile("check", "config.json") == (0, whose, "")
    data = json.loads(Path("config.json").read_text())
    data["evaluation"]["groups"][0]["peak_bytes"] -= 1
    data["result"]["bound_value"] = data["result"]["objective_value"] * 2
    Path("config.json").write_text(json.dumps(data))
    code, out, err = tile("check", "config.json")
    assert code == 2
    assert [line.split(" is ")[0] for line in out.splitlines()] == [
        "config.json: evaluation.groups[0].peak_bytes",
        "config.json: result.bound_value",
    ]
    assert err == "iopt: config.json: 2 claims are not true: changed by hand, or made for another model\n"
    code, out, err = tile("show", "config.json")
    assert (code, out) == (2, "")
    assert "(and 1 more; `iopt tile check` lists them)" in err


def test_what_cannot_be_planned_says_what_it_takes(tile: Iopt) -> None:
    least = solve(Problem(DEEP, objective="memory", weights="none")).objective
    code, out, err = tile("plan", *ASKED, "--memory", "2 KiB", "-o", "none.json")
    assert code == 3
    assert "INFEASIBLE by exact" in out
    assert err.startswith(
        "written to none.json\niopt: infeasible: the limit is 2048 B (2.00 KiB): the least memory of any "
    )
    assert f" is {least} B (" in err and " binds; --max-tiles 16 considers more\n" in err
    assert tile("check", "none.json").code == 0
    shown = tile("show", "none.json")
    assert (shown.code, shown.err) == (0, "")
    assert f"is {least} B" in " ".join(shown.out.split())


def test_least_memory_within_an_overhead(tile: Iopt) -> None:
    code, out, _ = tile("plan", "deep.json", "--overhead", "1.1", "--json")
    assert code == 0
    found = files.from_data(json.loads(out), "-")
    assert (found.problem.objective, found.problem.overhead) == ("memory", 1.1)
    assert found.result.objective == solve(Problem(DEEP, objective="memory", overhead=1.1)).objective
    code, _, err = tile("plan", "deep.json", "--overhead", "0.9")
    assert code == 3
    assert "no configuration with at most 8 x 8 tiles computes as little as 0.9 times the untiled network" in err


def test_latency_from_a_host(tile: Iopt) -> None:
    code, out, _ = tile("plan", *ASKED, "--host", "host.json", "--objective", "latency")
    assert code == 0
    host = host_of(DEEP).model
    problem = Problem(DEEP, LIMIT, "latency", weights="none", host=host)
    best = solve(problem).objective
    assert best is not None
    assert f"\nlatency {best * 1e3:,.3f} ms by the host's times\n" in out
    assert f" tiles needs less than {best * 1e3:,.3f} ms by these times (gap 0 %)" in " ".join(out.split())
    machine = Machine("a machine", "2.0", 1, "lean", 5, 24, 0.33, 0.5)
    for measured, off in (
        (machine, f"off by {percent(0.33)} at the median of other configurations"),
        (
            replace(machine, fitted=3),
            f"off by {percent(0.33)} at the median of other configurations, of which there were few",
        ),
        (replace(machine, fitted=3, median_error=None, worst_error=None), "which were not judged"),
    ):
        save_host(replace(host_of(DEEP), measured=measured), "measured.json")
        for command in (("plan", "deep.json"), ("evaluate", "deep.json", "2x2/NoCut")):
            said = " ".join(tile(*command, "--host", "measured.json").out.split())
            assert f" ms by the host's times, {off}" in said
    by_work = tile("plan", *ASKED, "--host", "host.json").out
    assert " ms by the host's times" in by_work


def test_options_reach_the_problem(tile: Iopt) -> None:
    said = tile(
        *("plan", "deep.json", "--memory", "100 KiB", "--predictor", "mafat", "--host", "host.json"),
        *("--weights", "streamed", "--backend", "im2col", "--grid", "ceil", "--max-tiles", "3", "--json"),
    )
    file = files.from_data(json.loads(said.out), "-")
    expected = {
        "memory_bytes": 100 * 2**10,
        "predictor": "mafat",
        "bias_bytes": 2**20,
        "weights": "streamed",
        "backend": "im2col",
        "grid": "ceil",
        "max_tiles": 3,
        "host": host_of(DEEP).model,
    }
    assert {key: getattr(file.problem, key) for key in expected} == expected
    said = tile(*("plan", "deep.json", "--predictor", "mafat", "--bias", "0 B", "--memory", "none", "--json"))
    problem = files.from_data(json.loads(said.out), "-").problem
    assert (problem.bias_bytes, problem.memory_bytes) == (0, None)
    said = tile("plan", "deep.json", "--predictor", "bound", "--crop", "rim", "--json")
    assert files.from_data(json.loads(said.out), "-").problem.crop == "rim"
    assert {field.name for field in fields(Problem)} - set(expected) == {
        *("graph", "objective", "overhead", "crop", "reuse")
    }, "every field is tested"


def test_reuse_and_groups(tile: Iopt) -> None:
    def work(*more: str) -> int:
        return int(json.loads(tile("plan", *ASKED, *more, "--json").out)["evaluation"]["macs"])

    assert work("--memory", "30 KiB") < work("--memory", "30 KiB", "--no-reuse")
    data = json.loads(tile("plan", *ASKED, "--max-groups", "1", "--json", "-o", "one.json").out)
    assert (len(data["groups"]), data["result"]["max_groups"]) == (1, 1)
    assert data["evaluation"]["macs"] > work()
    assert "no configuration of at most 1 group with at most 8 x 8 tiles needs" in " ".join(
        tile("show", "one.json").out.split()
    )
    assert tile("check", "one.json").code == 0


@pytest.mark.parametrize("method", options.METHODS.split("|"))
def test_every_method_by_name(tile: Iopt, method: str) -> None:
    code, _, err = tile("plan", "deep.json", "--memory", "60 KiB", "--method", method, "-o", "config.json")
    assert (code, err) == (0, "written to config.json\n")
    assert files.load("config.json").result.method == method
    assert tile("check", "config.json").code == 0


def test_parameters_of_mafat(tile: Iopt) -> None:
    tight = ("plan", "deep.json", "--memory", "6 KiB", "--weights", "none", "--method", "mafat")
    code, _, err = tile(*tight)
    assert code == 4
    assert err == (
        "iopt: no plan that keeps every limit was found: mafat: infeasible: "
        "no configuration that it considers keeps the limits\n"
    )
    code, out, err = tile(*tight, "--fallback", "--bottom", "free", "-o", "config.json")
    assert code == 4
    assert "UNKNOWN by mafat" in out
    assert "iopt: the plan of mafat breaks a limit: needs " in err
    assert tile("check", "config.json").code == 0


def test_a_configuration_by_hand(tile: Iopt) -> None:
    chosen = parse("4x4/2/2x1c/4/1x1", 6)
    code, out, err = tile("evaluate", "deep.json", written(chosen), "--weights", "none", "-o", "hand.json")
    assert (code, err) == (0, "written to hand.json\n")
    cost = evaluate(Problem(DEEP, weights="none"), chosen)
    assert "FEASIBLE by hand\n" in out
    assert f"peak {cost.peak_bytes / 2**10:.2f} KiB, at " in out
    assert files.load("hand.json").plan == chosen
    same = tile("evaluate", "deep.json", "hand.json", "--weights", "none")
    assert same == (0, out, "")
    code, out, err = tile("evaluate", "deep.json", "hand.json", "--memory", "1 KiB")
    assert code == 4
    assert "UNKNOWN by hand" in out
    assert err.startswith("iopt: 4x4/2/2x1c/4/1x1 breaks a limit: needs ") and err.endswith(
        " limit 1024 B (1.00 KiB)\n"
    )


def test_other_commands_say_what_reads_a_file(tile: Iopt, iopt: Iopt) -> None:
    tile("plan", *ASKED, "-o", "config.json")
    reads = (
        "got 'iopt/tiling-configuration/1', a configuration, read by `iopt tile show`, `iopt tile check` "
        "and `iopt tile run`\n"
    )
    for command in ("show", "check"):
        assert iopt(command, "config.json").err.endswith(reads)
        assert iopt("exits", command, "config.json").err.endswith(reads)
        assert tile(command, "host.json").err.endswith("times of a host, read by `iopt tile plan --host`\n")


def test_planning_needs_neither_torch_nor_a_solver(tile: Iopt) -> None:
    assert tile("show", "gone.json").code == 2, "the folder is there"
    code = f"from iopt.cli.run import run; assert run(['tile', 'plan', *{ASKED!r}, '-o', 'p.json']) == 0"
    more = "for words in (['check', 'p.json'], ['front', 'deep.json']): assert run(['tile', *words]) == 0"
    assert not imported_by(f"{code}\n{more}") & {"torch", "highspy", "pyomo", "matplotlib"}


def test_no_plan_within_the_time_limit(tile: Iopt) -> None:
    code, out, err = tile("plan", *ASKED, "--method", "milp", "--time-limit", "1e-6", "-o", "config.json")
    assert code == 4
    assert "UNKNOWN by milp" in out
    assert "no configuration" not in out
    assert err == (
        "written to config.json\niopt: no plan was found within the time limit of 1e-06 s; "
        "raise --time-limit, or use --method exact\n"
    )
    result = json.loads(Path("config.json").read_text())["result"]
    assert (result["status"], result["objective_value"], result["bound_value"]) == ("UNKNOWN", None, None)
    assert tile("check", "config.json").code == 0
