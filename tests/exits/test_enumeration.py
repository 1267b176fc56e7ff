"""Every plan of a tiny problem, each once."""

from __future__ import annotations

import pytest

from iopt.errors import OptionError
from iopt.exits import enumeration
from iopt.exits.enumeration import all_plans, best_plan, plan_count
from tests.exits.by_hand import detour
from tests.exits.instances import tiny_problem
from tests.exits.reference import feasible


def test_number_of_plans() -> None:
    problem = detour()
    assert plan_count(problem) == 4**4 == len(list(all_plans(problem)))
    for seed in range(10):
        drawn = tiny_problem(seed, applications=2, most_blocks=2)
        assert plan_count(drawn) == len(set(all_plans(drawn)))
        assert {plan for _, plan in feasible(drawn)} <= set(all_plans(drawn))


def test_too_many_plans_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enumeration, "MOST", 255)
    with pytest.raises(OptionError, match="256 plans; enumeration stops at 255"):
        best_plan(detour())
