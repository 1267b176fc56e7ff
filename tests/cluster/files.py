"""Cluster files of the tests, and how they are read."""

from __future__ import annotations

import pytest

from iopt.cluster import Cluster
from iopt.cluster.file import from_yaml
from iopt.errors import ClusterError

HOME = """
name: home
description: two boards on one switch
devices:
  - name: pi-1
    compute: 17.5 GFLOP/s
    memory: 1 GiB
    overhead: 0.1 ms
    up: 94 Mbit/s
  - name: pi-2
    compute: 2 GFLOPS
    memory: none
network:
  bandwidth: 100 Mbit/s
  connection: 0.2 ms
sink: pi-2
"""

SMALL = "devices: [{name: a, compute: 1 GFLOP/s}]\nnetwork: {bandwidth: 1 MB/s, connection: 1 ms}\n"


def read(text: str) -> Cluster:
    return from_yaml(text, "home.yaml", "home")


def refusal(text: str) -> str:
    with pytest.raises(ClusterError) as caught:
        read(text)
    return str(caught.value)
