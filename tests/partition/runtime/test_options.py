"""What is asked for reaches the ranks, and what is emulated is no faster than it should be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from iopt import inference
from iopt.errors import OptionError, RunError
from iopt.partition.evaluation import Evaluator
from iopt.partition.plan import Axis, Direct, Plan, Split, intervals_from
from iopt.partition.problem import Problem
from iopt.partition.runtime.rank import Job, Outcome
from tests.instances import chain, cluster, linear
from tests.partition.runtime.faults import limited

HALVES = intervals_from((32, 32))
PROBLEM = Problem(chain("pair", (64, 1, 1), [linear(64), linear(64)]), cluster((1e6, 1e6), (2e4, 2e4), (2e4, 2e4)))
PLAN = Plan((Split("op1", Axis.OC, HALVES), Split("op2", Axis.IC, HALVES, None, Direct())))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"seed": 3, "repeat": 2},
        {"emulate": True},
        {"keep_buffers": True},
        {"overlap": True},
    ],
)
def test_options_of_a_run_are_those_of_its_ranks(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Job] = []

    def launch(jobs: Sequence[Job], timeout_s: float) -> list[Outcome]:
        given.extend(jobs)
        raise RunError("enough")

    monkeypatch.setattr(inference, "launch", launch)
    with pytest.raises(RunError, match="enough"):
        inference.run(PLAN, problem=PROBLEM, **options)
    expected = {
        "seed": 0,
        "repeat": 1,
        "emulate": False,
        "emulate_links": True,
        "keep_buffers": False,
        "overlap": False,
    }
    assert {key: getattr(given[0], key) for key in expected} == expected | options


def test_nothing_overlaps_in_what_is_emulated() -> None:
    with pytest.raises(OptionError, match="overlap: the model of the cluster that is emulated has none"):
        inference.run(PLAN, problem=PROBLEM, emulate=True, overlap=True)


def test_an_emulated_run_takes_as_long_as_its_cluster_at_least() -> None:
    predicted = Evaluator(PROBLEM)(PLAN)
    with limited(60):
        found = inference.run(PLAN, problem=PROBLEM, emulate=True)
    assert found.emulated == ("compute", "network")
    assert found.latency_s >= 0.999 * predicted.latency_s
    for phase, expected in zip(found.phases, predicted.phases, strict=True):
        assert expected.time_s > 0.01
        assert phase.time_s >= 0.9 * expected.time_s
    for measured, least in zip(found.compute_by_operator_s, predicted.compute_by_operator_s, strict=True):
        assert measured >= least > 0.003
