"""Results as data and as a page: docs/results/NAME.json and NAME.md."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results"
PACKAGES = ("iopt", "highspy", "pyomo", "numpy", "torch")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def circumstances() -> str:
    """What else went on while times were measured: a sentence."""
    is_first = hasattr(os, "sched_getscheduler") and os.sched_getscheduler(0) == os.SCHED_FIFO
    priority = ", and what was measured had real-time priority (`chrt -f 10`)" if is_first else ""
    return f"The load average was {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores{priority}."


def read(name: str) -> Any:
    """The data written last."""
    return json.loads((RESULTS / f"{name}.json").read_text())["results"]


def write(name: str, title: str, text: str, data: Any) -> Path:
    """Write data and page; return the page's path."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    measured = machine()
    packages = ", ".join(f"{package} {number}" for package, number in measured["packages"].items())
    made_by = (
        f"Made by `python -m experiments.{name}` on {measured['cores']} cores, Python {measured['python']}, {packages}."
    )
    (RESULTS / f"{name}.json").write_text(json.dumps({"machine": measured, "results": data}, indent=1) + "\n")
    page = RESULTS / f"{name}.md"
    page.write_text(f"# {title}\n\n{made_by}\n\n{text}\n")
    return page
