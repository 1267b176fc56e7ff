"""What is going on, on standard error: one live line in a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from iopt.report.units import milliseconds, percent
from iopt.result import Progress

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

_REFRESH_PER_S = 8


class LiveLine:
    """A context. `step` says what runs now; called with the progress of a solve, it shows incumbent, bound and gap.

    `unit`: of objective and bound, a thousandth of their SI unit. Silent if `quiet`, or where standard error is not a
    terminal. The line is gone when the context ends.
    """

    def __init__(self, quiet: bool = False, unit: str = "ms") -> None:
        self._shows = not quiet and sys.stderr.isatty()
        self.unit = unit
        self._live: Live | None = None
        self._spinner: RenderableType = ""
        self._what, self._began = "", time.perf_counter()
        self._progress: Progress | None = None

    def __enter__(self) -> Self:
        if self._shows:
            from rich.console import Console
            from rich.live import Live
            from rich.spinner import Spinner

            self._spinner = Spinner("dots", style="cyan")
            self._live = Live(
                get_renderable=self._line,
                console=Console(stderr=True, highlight=False),
                refresh_per_second=_REFRESH_PER_S,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def step(self, what: str) -> None:
        """Something new runs: its clock starts."""
        self._what, self._began, self._progress = what, time.perf_counter(), None
        self._refresh()

    def __call__(self, progress: Progress) -> None:
        """For `on_progress` of a solve."""
        self._progress = progress
        self._refresh()

    def _refresh(self) -> None:
        if self._live is not None:
            self._live.refresh()

    def _line(self) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        line = Table.grid(padding=(0, 1))
        seconds = f"{time.perf_counter() - self._began:.1f} s"
        line.add_row(
            self._spinner, Text(f"{self._what}  {seconds}{progress_text(self._progress, self.unit)}", no_wrap=True)
        )
        return line


def progress_text(progress: Progress | None, unit: str = "ms") -> str:
    """`  best 4,014.038 ms  bound 3,990.120 ms  gap 0.6 %`, as far as it is known."""
    if progress is None:
        return ""
    text = "" if progress.incumbent is None else f"  best {milliseconds(progress.incumbent)} {unit}"
    if progress.bound is not None:
        text += f"  bound {milliseconds(progress.bound)} {unit}"
    if progress.incumbent and progress.bound is not None:
        text += f"  gap {percent(max(0.0, (progress.incumbent - progress.bound) / progress.incumbent))}"
    return text
