"""One look for every picture, by matplotlib, which is an extra: `pip install matplotlib`.

Colours are Okabe and Ito's, which readers with any colour vision tell apart; markers differ too, for print in black and
white.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iopt.errors import OptionError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".png", ".svg", ".pdf")

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
POINT: dict[str, Any] = {"markersize": 6, "markeredgecolor": "white", "markeredgewidth": 0.6, "zorder": 3}
_LOOK: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "grid.linewidth": 0.4,
    "grid.color": "#d0d0d0",
    "legend.frameon": False,
    "svg.fonttype": "none",
}


def check_picture(path: Path) -> None:
    """Raise `OptionError` with one line for another kind of file."""
    if path.suffix.lower() not in FORMATS:
        raise OptionError(f"{path}: a picture is one of {', '.join(FORMATS)}")


@contextmanager
def picture(path: Path, title: str) -> Iterator[Axes]:
    """Axes to draw on, written to a file at the end; `check_picture` has seen the path. Raises `OptionError` with one
    line where matplotlib is missing."""
    if find_spec("matplotlib") is None:
        raise OptionError(f"{path}: pictures are drawn by matplotlib, which is not installed: pip install matplotlib")
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_LOOK):
        figure = Figure(figsize=(5.6, 3.2), layout="constrained")
        axes = figure.subplots()
        axes.set_title(title, loc="left", fontsize=9)
        yield axes
        axes.grid(True)
        axes.set_axisbelow(True)
        figure.savefig(path, dpi=200, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
