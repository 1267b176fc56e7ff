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


INHERITED = """
import os
from iopt.cli.streams import open_closed
open_closed()
assert [os.get_inheritable(number) for number in (0, 1, 2)] == [True] * 3
"""


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&- <&-"])
def test_programs_that_are_started_get_it_too(closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    done = subprocess.run(["sh", "-c", f'"$0" -c "$1" {closed}', sys.executable, INHERITED], check=False)
    assert done.returncode == 0


@pytest.mark.full
@pytest.mark.parametrize("closed", ["2>&-", ">&-", ">&- 2>&- <&-"])
def test_processes_of_a_run_start_without_streams(iopt: Iopt, closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    assert iopt("plan", "net.json", "--cluster", "mixed2", "--method", "oc", "-o", "plan.json").code == 0
    script = f'"$0" -m iopt run plan.json --trace t.json {closed}'
    done = subprocess.run(["sh", "-c", script, sys.executable], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path("t.json").is_file()
