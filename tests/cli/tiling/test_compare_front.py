"""`iopt tile compare` and `front`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from iopt.tiling import Problem, front, methods, written
from tests.cli.conftest import Iopt
from tests.cli.tiling.conftest import DEEP, host_of

ASKED = ("deep.json", "--memory", "22 KiB", "--weights", "none")


def test_compare_has_every_method(tile: Iopt) -> None:
    code, out, err = tile("compare", *ASKED)
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines() if line.strip()]
    assert {line[0]: line[1] for line in lines if line[0] in methods.METHODS and line[1] != "breaks"} == {
        "untiled": "over",
        "deepthings": "FEASIBLE",
        "mafat": "FEASIBLE",
        "milp": "OPTIMAL",
        "exact": "OPTIMAL",
    }
    assert "\nuntiled breaks a limit: needs " in out
    assert "no configuration with at most 8 x 8 tiles needs less than " in out


def test_compare_as_json(tile: Iopt) -> None:
    rows = {row["method"]: row for row in json.loads(tile("compare", *ASKED, "--json").out)}
    keys = "method status configuration peak_bytes macs mac_factor latency_s groups violations objective_value"
    assert list(rows["exact"]) == [*keys.split(), "bound_value", "gap", "runtime_s", "solver", "message"]
    assert rows["exact"]["gap"] == 0 and rows["milp"]["objective_value"] == rows["exact"]["objective_value"]
    assert rows["untiled"]["gap"] is None
    for name in ("mafat", "deepthings"):
        row = rows[name]
        assert row["gap"] == pytest.approx(1 - rows["exact"]["macs"] / row["macs"])
        assert row["gap"] > 0


def test_compare_latency(tile: Iopt) -> None:
    code, out, _ = tile("compare", *ASKED, "--host", "host.json", "--objective", "latency")
    assert code == 0
    assert " latency ms " in out


def test_compare_says_what_the_exact_method_says(tile: Iopt) -> None:
    code, out, err = tile("compare", *ASKED, "--memory", "1 KiB")
    assert code == 3
    assert "INFEASIBLE" in out
    assert "\n mafat       none " in out
    assert all(f" {name} " in out for name in ("work / untiled", "search ms"))
    assert "mafat: infeasible: no configuration that it considers keeps the limits" in out
    assert err.startswith(
        "iopt: infeasible: the limit is 1024 B (1.00 KiB): the least memory of any configuration with at most "
    )


def test_a_front(tile: Iopt) -> None:
    code, out, err = tile("front", "deep.json", "--weights", "none")
    assert (code, err) == (0, "")
    points = json.loads(tile("front", "deep.json", "--weights", "none", "--json").out)
    expected = front(Problem(DEEP, weights="none")).points
    assert len(points) > 3
    assert [(point["peak_bytes"], point["macs"]) for point in points] == [(p.peak_bytes, p.macs) for p in expected]
    assert [point["configuration"] for point in points] == [written(point.configuration) for point in expected]
    assert [point["groups"] for point in points] == [len(point.configuration.groups) for point in expected]
    assert f"{len(points)} configurations that no other one beats" in out
    assert all(f" {point['configuration']} " in f"{out} ".replace("\n", " ") for point in points)


def test_limits_of_a_front(tile: Iopt) -> None:
    asked = ("front", "deep.json", "--weights", "none", "--json")
    whole = json.loads(tile(*asked).out)
    least, middle = whole[0]["peak_bytes"], whole[len(whole) // 2]
    small = json.loads(tile(*asked, "--memory", f"{middle['peak_bytes']} B").out)
    assert small == whole[: len(small)] and 0 < len(small) < len(whole)
    light = json.loads(tile(*asked, "--overhead", repr(middle["mac_factor"])).out)
    assert [point["peak_bytes"] for point in light] == [p["peak_bytes"] for p in whole[-len(light) :]]
    assert 0 < len(light) < len(whole)
    few = json.loads(tile(*asked, "--max-groups", "1").out)
    assert all("NoCut" in point["configuration"] for point in few)
    code, out, err = tile(*asked, "--memory", f"{least - 1} B")
    assert (code, out) == (3, "")
    assert f" is {least} B (" in err


def test_a_front_of_latency(tile: Iopt) -> None:
    code, out, _ = tile("front", "deep.json", "--host", "host.json", "--objective", "latency", "--json")
    assert code == 0
    problem = Problem(DEEP, objective="latency", host=host_of(DEEP).model)
    assert [point["latency_s"] for point in json.loads(out)] == [point.latency_s for point in front(problem).points]


def test_without_matplotlib_the_table_is_printed(tile: Iopt, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tile("front", "deep.json").out
    monkeypatch.setattr("iopt.report.picture.find_spec", lambda _: None)
    code, out, err = tile("front", "deep.json", "-o", "front.svg")
    assert (code, out) == (2, table)
    assert err == (
        "iopt: front.svg: pictures are drawn by matplotlib, which is not installed: pip install matplotlib\n"
    )
    assert not Path("front.svg").exists()


@pytest.mark.parametrize("more", [(), ("--host", "host.json", "--objective", "latency")])
def test_a_picture(tile: Iopt, more: tuple[str, ...]) -> None:
    pytest.importorskip("matplotlib")
    assert tile("front", "deep.json", *more, "-o", "front.svg").err == "written to front.svg\n"
    text = Path("front.svg").read_text(encoding="utf-8")
    y = "latency (ms)" if more else "work, of the untiled network"
    assert all(f">{label}<" in text for label in ("memory, at most (KiB)", y))
