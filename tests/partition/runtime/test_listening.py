"""Who can be reached from other hosts: nobody in a run on one, and under torchrun what the documentation says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import iopt as package
from iopt.partition.runtime.processes import run_together
from tests.partition.runtime.faults import limited
from tests.partition.runtime.listening import note

ANYWHERE = {"0.0.0.0", "::"}
LOOPBACK = {"127.0.0.1", "::1"}


def test_on_one_host_all_listen_on_the_loopback_alone(tmp_path: Path) -> None:
    with limited(60):
        run_together(note, ["a", "b", "c"], tmp_path, 30.0)
    found = [json.loads((tmp_path / f"listens-{rank}.json").read_text()) for rank in range(3)]
    assert all(found)
    assert {address for rank in found for address in rank} <= LOOPBACK


@pytest.mark.full
def test_torchruns_store_listens_everywhere_and_gloo_where_it_is_told(tmp_path: Path) -> None:
    """What the documentation warns of: if it is no longer so, the warning can go."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    paths = os.pathsep.join((str(Path(package.__file__).parents[1]), str(Path(__file__).parents[3])))
    environment = {**os.environ, "PYTHONPATH": paths, "GLOO_SOCKET_IFNAME": "lo"}
    command = [*launcher, "-m", "tests.partition.runtime.listening"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(said) == 2
    for each in said:
        assert each["rank"]
        assert set(each["rank"]) <= LOOPBACK
        assert set(each["launcher"]) & ANYWHERE
