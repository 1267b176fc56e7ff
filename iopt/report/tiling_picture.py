"""A Pareto front of tiling as a picture: a staircase, the least work, or latency, within each limit of memory."""

from __future__ import annotations

from pathlib import Path

from iopt.report.picture import COLOURS, MARKERS, POINT, picture
from iopt.report.tiling_summary import conventions
from iopt.report.tiling_units import title
from iopt.report.units import binary_prefix
from iopt.tiling.fronts import Front
from iopt.tiling.problem import Problem


def draw_front(problem: Problem, front: Front, path: Path) -> None:
    """The front to a file; `check_picture` has seen the path."""
    peaks = [point.peak_bytes for point in front.points]
    unit, factor = binary_prefix(max(peaks, default=1))
    x = [peak / factor for peak in peaks]
    is_latency = problem.objective == "latency"
    y = [1e3 * (point.latency_s or 0.0) if is_latency else point.mac_factor for point in front.points]
    right = x[-1] + 0.05 * (x[-1] - x[0] or x[-1])
    with picture(path, f"{title(problem)}: {conventions(problem)}") as axes:
        axes.plot([*x, right], [*y, y[-1]], drawstyle="steps-post", color=COLOURS[0], linewidth=1.2)
        axes.plot(x, y, linestyle="none", marker=MARKERS[0], color=COLOURS[0], **{**POINT, "markersize": 4})
        axes.set_xlabel(f"memory, at most ({unit})")
        axes.set_ylabel("latency (ms)" if is_latency else "work, of the untiled network")
        axes.set_xlim(right=right)
