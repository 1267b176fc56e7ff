"""Objects of the wrong kind are refused in one line that says the way to the right one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import iopt
from iopt.errors import OptionError
from iopt.tiling import Problem, compare, evaluate, front, solve
from tests.cli.tiling.conftest import DEEP

PROBLEM = Problem(DEEP)
SPLIT = iopt.Problem(DEEP, iopt.Cluster.load("mixed2"))

WRONG: dict[str, Callable[[], object]] = {
    "network is 'deep.json'; expected a Graph: iopt.load('deep.json') gives one": lambda: Problem("deep.json"),  # type: ignore[arg-type]
    "problem is a Graph; expected a Problem": lambda: solve(DEEP),  # type: ignore[arg-type]
    "problem is an iopt.Problem; expected an iopt.tiling.Problem; that one is for iopt.solve and the like": (
        lambda: solve(SPLIT)  # type: ignore[arg-type]
    ),
    "problem is None; expected a Problem": lambda: front(None),  # type: ignore[arg-type]
    "problem is a Graph; expected a Problem ": lambda: list(compare(DEEP)),  # type: ignore[arg-type]
    "configuration is '2x2/NoCut'; expected a Configuration: iopt.tiling.parse reads one": (
        lambda: evaluate(PROBLEM, "2x2/NoCut")  # type: ignore[arg-type]
    ),
    "configuration is a Result; expected a Configuration: its .plan is one": (
        lambda: evaluate(PROBLEM, solve(PROBLEM))  # type: ignore[arg-type]
    ),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_it_is_and_what_is_expected(message: str) -> None:
    with pytest.raises(OptionError) as caught:
        WRONG[message]()
    assert str(caught.value).startswith(message.strip())


def test_a_problem_of_tiling_elsewhere() -> None:
    with pytest.raises(OptionError, match=r"problem is an iopt.tiling.Problem; expected an iopt.Problem; that one is "):
        iopt.solve(PROBLEM)  # type: ignore[arg-type]
