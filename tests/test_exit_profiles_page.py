"""The commands of docs/exit-profiles.md run one after another, on the network that the page shows."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from iopt.cli.run import run

pytest.importorskip("torch")
pytest.importorskip("sklearn")

PAGE = Path(__file__).parents[1] / "docs" / "exit-profiles.md"
NUMBER = r"\d+\.\d+"


@pytest.mark.skipif(not PAGE.exists(), reason="tests run without the repository around them")
def test_every_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last two are what the front prints, but for the digits, which may differ between processors."""
    text = PAGE.read_text(encoding="utf-8")
    code = re.search(r"As `mynet.py`:\n\n(.*?)\nThen:", text, re.DOTALL)
    commands = re.findall(r"^    iopt (exits .*)$", text, re.MULTILINE)
    assert code is not None
    assert len(commands) == 7
    (tmp_path / "mynet.py").write_text("\n".join(line[4:] for line in code[1].splitlines()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "mynet", raising=False)
    for command in commands[:5]:
        capsys.readouterr()
        assert run(shlex.split(command)) == 0, command
    printed = [line.strip() for line in capsys.readouterr().out.splitlines()[-2:]]
    named = [line.replace("MODULE", "mynet:branchy").replace("DATA", "mynet:calibration") for line in printed]
    for command, line in zip(commands[5:], named, strict=True):
        assert re.sub(NUMBER, "N", f"iopt {command}") == re.sub(NUMBER, "N", line)
        assert run(shlex.split(line)[1:]) == 0
