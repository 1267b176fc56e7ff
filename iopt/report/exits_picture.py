"""A Pareto front as a picture.

Energy over latency, a staircase per accuracy: the least energy within each latency. Where thresholds were chosen too,
energy over accuracy, by exit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from iopt.exits.fronts import Front, Point
from iopt.exits.problem import Problem
from iopt.report.exits_front import by_accuracy
from iopt.report.exits_units import energy_unit, title
from iopt.report.picture import COLOURS, MARKERS, POINT, picture
from iopt.report.units import prefix

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_front(problem: Problem, front: Front, path: Path) -> None:
    """The front to a file; `check_picture` has seen the path."""
    points = by_accuracy(front.points)
    joule, per_joule = prefix(max((point.energy_j for point in points), default=0.0))
    with picture(path, title(problem)) as axes:
        axes.set_ylabel(f"energy ({joule}{energy_unit(problem)})")
        if any(point.thresholds for point in points):
            _by_exit(axes, points, per_joule)
        else:
            _by_accuracy(axes, points, per_joule)


def _by_accuracy(axes: Axes, points: Sequence[Point], per_joule: float) -> None:
    """Energy over latency."""
    second, per_second = prefix(max((point.latency_s for point in points), default=0.0))
    right = 1.05 * max((point.latency_s for point in points), default=1.0) * per_second
    groups = _grouped(points, lambda point: f"{point.accuracy:.4g}")
    for index, (accuracy, group) in enumerate(groups.items()):
        x, y = [point.latency_s * per_second for point in group], [point.energy_j * per_joule for point in group]
        axes.plot([*x, right], [*y, y[-1]], drawstyle="steps-post", color=COLOURS[index % len(COLOURS)], linewidth=1.2)
        _points(axes, x, y, index, accuracy)
    axes.set_xlabel(f"latency, at most ({second}s)")
    axes.set_xlim(0, right)
    _finish(axes, "accuracy", bool(points))


def _by_exit(axes: Axes, points: Sequence[Point], per_joule: float) -> None:
    """Energy over accuracy."""
    for index, (exit, group) in enumerate(_grouped(points, lambda point: point.exit).items()):
        _points(axes, [point.accuracy for point in group], [p.energy_j * per_joule for p in group], index, exit)
    axes.set_xlabel("accuracy")
    _finish(axes, "deepest exit", bool(points))


def _grouped(points: Sequence[Point], key: Callable[[Point], str]) -> dict[str, list[Point]]:
    groups: dict[str, list[Point]] = {}
    for point in points:
        groups.setdefault(key(point), []).append(point)
    return groups


def _points(axes: Axes, x: Sequence[float], y: Sequence[float], index: int, label: str) -> None:
    colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
    axes.plot(x, y, linestyle="none", marker=marker, color=colour, label=label, **POINT)


def _finish(axes: Axes, legend: str, has_points: bool) -> None:
    axes.set_ylim(0, 1.08 * axes.dataLim.ymax if has_points else 1)
    if has_points:
        axes.legend(title=legend, alignment="left", reverse=True, loc="upper left", bbox_to_anchor=(1.01, 1.02))
