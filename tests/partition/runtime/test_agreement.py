"""Ranks that are started apart refuse to run together what is not the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from iopt.errors import OptionError
from iopt.partition.methods import solve
from iopt.partition.runtime.agreement import Started, check_alike
from iopt.partition.runtime.command import started
from iopt.partition.runtime.processes import run_together
from iopt.partition.runtime.pulse import Pulse
from iopt.partition.runtime.rank import Job
from tests.partition.runtime.cases import tiny_case
from tests.partition.runtime.faults import limited

NAMES = ["a", "b", "c"]


def start(given: tuple[Started, ...], rank: int, folder: Path, pulse: Pulse) -> None:
    """What a rank does, which was started with one of these."""
    check_alike(pulse, given[rank], len(given))


def test_who_was_started_otherwise_is_named(tmp_path: Path) -> None:
    """By every rank; a rank that went on would wait for the others."""
    given = (Started("run", "1", "x"), Started("run", "1", "x"), Started("run", "2", "y"))
    with limited(60), pytest.raises(OptionError) as caught:
        run_together(partial(start, given), NAMES, tmp_path, 30.0)
    assert str(caught.value) == (
        "the ranks were not started alike: rank 2 has another plan and other options than rank 0"
    )


def test_those_that_are_alike_go_on(tmp_path: Path) -> None:
    with limited(60):
        run_together(partial(start, (Started("run", "1", "x"),) * 3), NAMES, tmp_path, 30.0)


CASE = tiny_case(3, (3,))
JOB = Job(CASE.problem, CASE.plan)
CHANGES: list[Callable[[Job], Job]] = [
    lambda job: replace(job, seed=1),
    lambda job: replace(job, repeat=2),
    lambda job: replace(job, weights="w.safetensors"),
    lambda job: replace(job, emulate=True),
    lambda job: replace(job, emulate=True, emulate_links=False),
    lambda job: replace(job, overlap=True),
    lambda job: replace(job, plan=solve(job.problem, "single").plan or job.plan),
    lambda job: replace(job, problem=replace(job.problem, memory="runtime")),
]


def test_what_ranks_must_have_in_common() -> None:
    found = [started(change(JOB)) for change in CHANGES]
    assert len({started(JOB), *found}) == 1 + len(CHANGES)


def test_where_files_lie_is_the_affair_of_each_rank() -> None:
    apart = (replace(JOB, weights="a/w.safetensors", input="x.npy"), replace(JOB, weights="b/w.safetensors"))
    assert started(apart[0]) == started(apart[1])
