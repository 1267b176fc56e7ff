"""Clocks of several hosts run apart: they are aligned before every inference, not once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from torch import distributed

from iopt.partition.methods import solve
from iopt.partition.problem import Problem
from iopt.partition.runtime import rank
from iopt.partition.runtime.command import has_own_clock
from iopt.partition.runtime.group import join_local
from iopt.partition.runtime.pulse import Pulse
from iopt.partition.runtime.rank import Job, run_rank
from tests.instances import chain, cluster, linear

PROBLEM = Problem(chain("one", (4, 1, 1), [linear(4), linear(2)]), cluster((1.0,)))
FAR_S = 1e6


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "4"}, False),
        ({"WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "1"}, True),
        ({"WORLD_SIZE": "4"}, True),
    ],
)
def test_ranks_of_one_host_share_a_clock(variables: dict[str, str], expected: bool) -> None:
    assert has_own_clock(variables) is expected


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    """In a process group of this process alone."""
    plan = solve(PROBLEM, "single").plan
    assert plan is not None
    join_local(tmp_path / "rendezvous", 0, 1, Pulse("d0"))
    yield Job(PROBLEM, plan, repeat=3)
    distributed.destroy_process_group()


@pytest.mark.parametrize("has_own_clock", [True, False])
def test_every_inference_has_an_origin_of_its_own(
    job: Job, has_own_clock: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments: list[float] = []

    def common_moment(pulse: Pulse, when: str) -> float:
        moments.append((len(moments) + 1) * FAR_S)
        return moments[-1]

    monkeypatch.setattr(rank, "common_moment", common_moment)
    outcome = run_rank(job, 0, 0, Pulse("d0"), has_own_clock)
    assert outcome is not None
    begins = [record.times_s[0][0] for record in outcome.reports[0].records]
    apart = [later - earlier for earlier, later in pairwise(begins)]
    assert len(moments) == (3 if has_own_clock else 0)
    assert apart == pytest.approx([-FAR_S if has_own_clock else 0.0] * 2, abs=60)
