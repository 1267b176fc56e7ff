"""What `solve` and `compare` refuse before they begin."""

from __future__ import annotations

from typing import Any

import pytest

from iopt.errors import OptionError
from iopt.partition.heuristics import plan_single
from iopt.partition.methods import compare, solve
from iopt.partition.problem import Problem
from tests.instances import chain, cluster, linear

PROBLEM = Problem(chain("one", (3, 1, 1), [linear(2)]), cluster((1.0, 1.0)))


@pytest.mark.parametrize(
    ("starts", "message"),
    [
        (plan_single(PROBLEM), r"^starts is a Plan; expected a tuple: \(plan,\) for a single one$"),
        (5, "^starts is 5; expected a tuple"),
        ([plan_single(PROBLEM), None], r"^starts\[1\] is None; expected a Plan$"),
        ([solve(PROBLEM, "single")], r"^starts\[0\] is a Result; expected a Plan: its \.plan is one$"),
    ],
)
def test_starts_are_plans(starts: Any, message: str) -> None:
    for method in ("milp", "oc"):
        with pytest.raises(OptionError, match=message):
            solve(PROBLEM, method, starts=starts)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": None}, r"^unknown method None \(methods: milp, dp, "),
        ({"method": ["milp"]}, r"^unknown method \['milp'\] \(methods: "),
        ({"method": "mlp"}, "^unknown method 'mlp'; did you mean 'milp'?"),
        ({"time_limit_s": "5"}, "^time limit is '5'; expected a number of seconds above zero$"),
        ({"time_limit_s": None}, "^time limit is None; expected a number of seconds above zero$"),
        ({"time_limit_s": True}, "^time limit is True; expected a number of seconds above zero$"),
        ({"time_limit_s": -1}, "^time limit is -1; expected a number of seconds above zero$"),
        ({"time_limit_s": float("nan")}, "^time limit is nan; expected a number of seconds above zero$"),
        ({"gap": "x"}, "^gap is 'x'; expected a number from 0 to below 1$"),
        ({"gap": float("nan")}, "^gap is nan; expected a number from 0 to below 1$"),
        ({"gap": 1}, "^gap is 1; expected a number from 0 to below 1$"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        solve(PROBLEM, **options)
    if "method" not in options:
        with pytest.raises(OptionError, match=message):
            next(compare(PROBLEM, **options))
