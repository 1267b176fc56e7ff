"""Pictures of fronts are drawn, in every format."""

from __future__ import annotations

from pathlib import Path

import pytest

from iopt.cluster import Cluster
from iopt.errors import OptionError
from iopt.exits.files import load_profile
from iopt.exits.fronts import Front, Point, front
from iopt.exits.plan import Placement, Plan
from iopt.exits.problem import Application, Problem
from iopt.report.exits_picture import draw_front
from iopt.report.picture import FORMATS, check_picture

pytest.importorskip("matplotlib")

PROBLEM = Problem((Application(load_profile("b-lenet").network, 0.0, 1.0),), Cluster.load("mobile-edge-cloud"))


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_front(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"front{suffix}"
    check_picture(path)
    draw_front(PROBLEM, front(PROBLEM), path)
    assert path.read_bytes()[:5] in (b"\x89PNG\r", b"<?xml", b"%PDF-")


def test_with_thresholds(tmp_path: Path) -> None:
    plan = Plan((Placement("b-lenet", 0, (0,)),))
    points = tuple(Point(0.1 * n, 0.01, 0.2 * n, f"exit-{n % 2}", plan, (0.1 * n,)) for n in range(1, 5))
    draw_front(PROBLEM, Front(points, True), tmp_path / "front.svg")
    text = (tmp_path / "front.svg").read_text(encoding="utf-8")
    assert all(f">{label}<" in text for label in ("accuracy", "deepest exit", "exit-0", "exit-1"))


def test_the_same_front_is_the_same_file(tmp_path: Path) -> None:
    for name in ("one.svg", "other.svg"):
        draw_front(PROBLEM, front(PROBLEM), tmp_path / name)
    assert len((tmp_path / "one.svg").read_text()) == len((tmp_path / "other.svg").read_text())


def test_other_formats_are_refused() -> None:
    with pytest.raises(OptionError, match=r"front\.jpg: a picture is one of \.png, \.svg, \.pdf"):
        check_picture(Path("front.jpg"))
