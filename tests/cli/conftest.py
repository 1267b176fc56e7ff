"""The command line in this process, in an empty folder with a small saved network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from iopt.cli.run import run
from iopt.graph import file as graph_file
from tests.instances import chain, conv, linear, max_pool

SMALL = """
devices:
  - {name: a, compute: 1 MFLOP/s, memory: 100 B}
  - {name: b, compute: 2 MFLOP/s, memory: 100 B}
network: {bandwidth: 1 MB/s, connection: 0.1 ms}
"""


class Said(NamedTuple):
    code: int
    out: str
    err: str


Iopt = Callable[..., Said]


@pytest.fixture
def iopt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iopt:
    """Runs `iopt ARGUMENTS` in a folder that holds `net.json` and `small.yaml`, a cluster with too little memory."""
    network = chain("net", (3, 8, 8), [conv(4, 3, padding=1, pooling=max_pool(2)), linear(6), linear(2)])
    graph_file.save(network, tmp_path / "net.json")
    (tmp_path / "small.yaml").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def iopt(*arguments: str) -> Said:
        capsys.readouterr()
        code = run(arguments)
        return Said(code, *capsys.readouterr())

    return iopt
