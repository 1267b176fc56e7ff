"""What starts fast imports little, and a closed pipe is no error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import iopt as package
from tests.cli.conftest import Iopt

HEAVY = {"torch", "pyomo", "highspy", "rich", "pydantic", "numpy", "scipy", "yaml", "pint"}


def imported_by(code: str) -> set[str]:
    """Top-level packages in a new interpreter after this code."""
    lines = f"import sys\n{code}\nprint(*{{name.split('.')[0] for name in sys.modules}}, file=sys.stderr)"
    return set(ran(sys.executable, "-c", lines).stderr.split())


def ran(*command: str) -> subprocess.CompletedProcess[str]:
    """The command in the current folder, with the package that this process tests."""
    paths = {"PYTHONPATH": str(Path(package.__file__).parents[1])}
    return subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **paths})


@pytest.mark.parametrize("code", ["import iopt", "import iopt.cli", "from iopt.cli.run import run; run(['--help'])"])
def test_starting_imports_nothing_heavy(code: str) -> None:
    assert not imported_by(code) & HEAVY


def test_planning_from_a_saved_network_needs_no_torch(iopt: object) -> None:
    code = "from iopt.cli.run import run; assert run(['plan', 'net.json', '--cluster', 'mixed2']) == 0"
    found = imported_by(code)
    assert "highspy" in found
    assert "torch" not in found


def test_checking_a_bound_needs_no_solver(iopt: Iopt) -> None:
    assert iopt("plan", "net.json", "--cluster", "mixed2", "-o", "plan.json").code == 0
    found = imported_by("from iopt.cli.run import run; assert run(['check', 'plan.json']) == 0")
    assert not found & {"highspy", "pyomo", "torch"}


def test_a_closed_pipe_is_quiet(iopt: object) -> None:
    assert Path("net.json").is_file()
    command = f"{sys.executable} -c 'from iopt.cli import main; main()' graph net.json"
    script = f"for n in 1 2 3; do {command} | true; done"
    done = ran("bash", "-c", script)
    assert (done.stdout, done.stderr) == ("", "")
