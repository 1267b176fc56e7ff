"""`iopt exits compare`, `front` and `networks`."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from iopt.exits import fronts
from iopt.exits.files import profile_names
from iopt.report import picture
from tests.cli.conftest import Iopt
from tests.cli.exits.test_plan import ASKED
from tests.cli.test_startup import imported_by

FRONT = ("exits", "front", "b-alexnet", "--tiers", "mobile-edge-cloud", "--energy", "unconditional")


def test_compare_has_every_method(iopt: Iopt) -> None:
    code, out, err = iopt("exits", "compare", *ASKED)
    assert (code, err) == (0, "")
    found = {line.split()[0] for line in out.splitlines() if line.split()[1:2] in (["FEASIBLE"], ["OPTIMAL"])}
    assert {"all-cloud", "all-edge", "mcp", "mcp-full", "larac", "fin", "milp", "pareto"} <= found
    assert "all-device breaks a limit: b-alexnet: takes " in out
    assert "no placement needs less than " in out


def test_compare_as_json(iopt: Iopt) -> None:
    rows = {row["method"]: row for row in json.loads(iopt("exits", "compare", *ASKED, "--json").out)}
    keys = "method status energy_j compute_j transfer_j applications violations bound_j gap runtime_s solver message"
    assert list(rows["pareto"]) == keys.split()
    assert rows["pareto"]["gap"] == pytest.approx(0, abs=1e-6)
    assert rows["all-device"]["gap"] is None
    for row in rows.values():
        assert row["energy_j"] == pytest.approx(row["compute_j"] + row["transfer_j"])


def test_compare_says_what_the_exact_method_says(iopt: Iopt) -> None:
    code, out, err = iopt("exits", "compare", *ASKED, "--accuracy", "0.9")
    assert code == 3
    assert "INFEASIBLE" in out
    assert err.startswith("iopt: infeasible: ")


def test_a_front(iopt: Iopt) -> None:
    code, out, err = iopt(*FRONT)
    assert (code, err) == (0, "")
    points = json.loads(iopt(*FRONT, "--json").out)
    assert f"{len(points)} placements that no other one beats" in out
    assert {point["accuracy"] for point in points} == {0.5637, 0.7805, 0.8595}
    best = [point for point in points if point["accuracy"] >= 0.8 and point["latency_s"] <= 5e-3]
    assert min(point["energy_j"] for point in best) == pytest.approx(0.10014, abs=5e-6)
    for one in points:
        for other in points:
            is_better = other["energy_j"] <= one["energy_j"] and other["latency_s"] <= one["latency_s"]
            assert other is one or not (is_better and other["accuracy"] >= one["accuracy"])


def test_a_front_without_points(iopt: Iopt) -> None:
    code, out, err = iopt(*FRONT, "--latency", "1 ms")
    assert (code, out) == (3, "")
    assert err.startswith("iopt: infeasible: b-alexnet: latency 1 ms is out of reach")


def test_an_empty_front_that_may_not_be_whole_proves_nothing(iopt: Iopt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fronts, "front", lambda _: fronts.Front((), False))
    code, out, err = iopt(*FRONT)
    assert (code, out) == (4, "")
    assert err == "iopt: no placement was found; there are too many to be sure that there is none\n"


def test_a_picture(iopt: Iopt) -> None:
    pytest.importorskip("matplotlib")
    assert iopt(*FRONT, "--picture", "front.svg").err == "written to front.svg\n"
    text = Path("front.svg").read_text(encoding="utf-8")
    assert all(f">{label}<" in text for label in ("0.8595", "0.5637", "energy (mJ)", "latency, at most (ms)"))


def test_without_matplotlib(iopt: Iopt, monkeypatch: pytest.MonkeyPatch) -> None:
    known = lambda name: None if name == "matplotlib" else find_spec(name)  # noqa: E731
    monkeypatch.setattr(picture, "find_spec", known)
    code, out, err = iopt(*FRONT, "--picture", "front.svg")
    assert (code, out) == (2, iopt(*FRONT).out)
    assert err.endswith(": pictures are drawn by matplotlib, which is not installed: pip install matplotlib\n")


def test_networks(iopt: Iopt) -> None:
    listed = iopt("exits", "networks")
    assert listed.code == 0
    assert all(f" {name} " in listed.out for name in profile_names())


def test_placing_needs_no_torch_and_no_solver(iopt: Iopt) -> None:
    code = f"from iopt.cli.run import run; assert run(['exits', 'plan', *{ASKED!r}, '-o', 'p.json']) == 0"
    check = "assert run(['exits', 'check', 'p.json']) == 0"
    found = imported_by(f"{code}\n{check}")
    assert not found & {"torch", "highspy", "pyomo", "matplotlib"}
