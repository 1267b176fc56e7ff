"""What is no problem, or no plan of this one, is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from iopt.cluster import LinkRate
from iopt.errors import ClusterError, OptionError, PlanError
from iopt.exits.evaluation import evaluate
from iopt.exits.plan import Placement, Plan
from iopt.exits.problem import Application, Problem
from tests.exits.by_hand import CLOUD, EDGE, MOBILE, NET, hand, hand_cluster


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(()), "0 applications; the problem has 1"),
        (Plan((Placement("net", 0, (0,)), Placement("net", 0, (0,)))), "2 applications"),
        (Plan((Placement("other", 0, (0,)),)), "'other' in its place"),
        (Plan((Placement("net", 3, (0,)),)), "exit 3; expected 0 ... 2"),
        (Plan((Placement("net", -1, (0, 0, 0)),)), "exit -1"),
        (Plan((Placement("net", 1, (0,)),)), "1 blocks are placed; exit 1 needs 2"),
        (Plan((Placement("net", 0, (3,)),)), "expected each in 0 ... 2"),
        (Plan((Placement("net", 0, (-1,)),)), "expected each in 0 ... 2"),
    ],
)
def test_a_plan_of_another_problem_is_refused(plan: Plan, words: str) -> None:
    with pytest.raises(PlanError, match=re.escape(words)):
        evaluate(hand(), plan)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"energy": "free"}, "energy is 'free'; expected 'expected' or 'unconditional'"),
        ({"link_rate": "max"}, "link_rate is 'max'"),
        ({"latency": "best"}, "latency is 'best'"),
        ({"max_load": 0.0}, "max_load is 0"),
        ({"max_load": float("nan")}, "max_load is nan"),
        ({"max_load": 1e-300}, "max_load is 1e-300; expected 1e-09 to 1e+09"),
        ({"max_load": 1e10}, "max_load is 10000000000.0; expected 1e-09 to 1e+09"),
        ({"application": {"accuracy": 1.1}}, "accuracy is 1.1"),
        ({"application": {"latency_s": 0.0}}, "latency_s is 0"),
        ({"application": {"latency_s": float("inf")}}, "latency_s is inf"),
        ({"application": {"rate_per_s": -1.0}}, "rate_per_s is -1"),
        ({"application": {"source": "phone"}}, "no device is named 'phone'"),
    ],
)
def test_a_problem_without_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=re.escape(words)):
        hand(**options)


def test_a_cluster_without_energy_is_refused() -> None:
    for key, named in (("power_w", "power"), ("energy_per_bit_j", "energy")):
        lame = replace(hand_cluster(), devices=(MOBILE, replace(EDGE, **{key: None}), CLOUD))
        with pytest.raises(ClusterError, match=f"device 'edge': {named}: missing; expected it, such as "):
            hand(cluster=lame)


def test_no_application_and_a_name_given_twice_are_refused() -> None:
    with pytest.raises(OptionError, match="no application"):
        Problem((), hand_cluster())
    twice = Application(NET, 0.0, 1.0)
    with pytest.raises(OptionError, match="twice: net"):
        Problem((twice, twice), hand_cluster())


def test_the_link_rule_is_the_clusters_own_unless_one_is_given() -> None:
    cluster = hand_cluster(link_rate=LinkRate.RECEIVER)
    assert hand(cluster=cluster).link_rate is LinkRate.RECEIVER
    assert hand(cluster=cluster, link_rate="min").link_rate is LinkRate.MIN
