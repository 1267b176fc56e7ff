"""One live line in a terminal, nothing elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from iopt.report.progress import LiveLine, progress_text
from iopt.result import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(quiet: bool) -> str:
    with LiveLine(quiet) as line:
        line.step("milp")
        line(Progress(1.0, 4.0, 3.0))
    return sys.stderr.getvalue()  # type: ignore[attr-defined]


def test_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "stderr", Terminal())
    out = shown(quiet=False)
    assert "milp  0.0 s" in out
    assert "best 4,000.000 ms  bound 3,000.000 ms  gap 25.0 %" in out


def test_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert shown(quiet=True) == ""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert shown(quiet=False) == ""


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (None, ""),
        (Progress(1.0, None, None), ""),
        (Progress(1.0, None, 1e-3), "  bound 1.000 ms"),
        (Progress(1.0, 2e-3, None), "  best 2.000 ms"),
        (Progress(1.0, 2e-3, 2.1e-3), "  best 2.000 ms  bound 2.100 ms  gap 0 %"),
    ],
)
def test_what_is_known(progress: Progress | None, expected: str) -> None:
    assert progress_text(progress) == expected
