"""Standard streams that are closed are as if nobody read them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Iopt


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_closed_stream(iopt: Iopt, closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    script = f'"$0" -m iopt plan net.json --cluster mixed2 --method single -o plan.json {closed}'
    done = subprocess.run(["sh", "-c", script, sys.executable], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ("FEASIBLE by single" in done.stdout) == (not closed.startswith(">"))
    assert done.stderr == ("" if "2>&-" in closed else "written to plan.json\n")
    assert iopt("check", "plan.json").code == 0
