"""What Python code gives instead of what is expected: an error with the way from one to the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import iopt
from iopt import exits, zoo
from iopt.errors import OptionError
from iopt.exits import files

PROFILE = exits.load_profile("b-alexnet")
TIERS = iopt.Cluster.load("mobile-edge-cloud")
CAMERA = exits.Application(PROFILE.network, 0.8, 5e-3)
PLACING = exits.Problem((CAMERA,), TIERS)
GRAPH = zoo.graph("lenet5")
SPLITTING = iopt.Problem(GRAPH, iopt.Cluster.load("cal4"))
ELSEWHERE = "problem is an iopt.exits.Problem; expected an iopt.Problem; that one is for iopt.exits.solve and the like"
HERE = "problem is an iopt.Problem; expected an iopt.exits.Problem; that one is for iopt.solve and the like"

MISUSED: dict[str, Callable[[], Any]] = {
    "network is a Profile; expected an ExitNetwork: its .network is one": lambda: exits.Application(PROFILE, 0.8, 1.0),  # type: ignore[arg-type]
    "network is a Graph; expected an ExitNetwork: iopt.exits.profile measures a module, and its .network is one": (
        lambda: exits.Application(GRAPH, 0.8, 1.0)  # type: ignore[arg-type]
    ),
    "network is 'b-lenet'; expected an ExitNetwork: iopt.exits.load_profile('b-lenet') gives one": (
        lambda: exits.Application("b-lenet", 0.8, 1.0)  # type: ignore[arg-type]
    ),
    "applications is an Application; expected a tuple: (application,) for a single one": (
        lambda: exits.Problem(CAMERA, TIERS)  # type: ignore[arg-type]
    ),
    "applications[1] is an ExitNetwork; expected an Application: Application(network, accuracy, latency_s) asks ": (
        lambda: exits.Problem((CAMERA, PROFILE.network), TIERS)  # type: ignore[arg-type]
    ),
    "cluster is 'campus'; expected a Cluster: iopt.Cluster.load('campus') gives one": (
        lambda: exits.Problem((CAMERA,), "campus")  # type: ignore[arg-type]
    ),
    "cluster is 'cal4'; expected a Cluster: iopt.Cluster.load('cal4') gives one": (
        lambda: iopt.Problem(GRAPH, "cal4")  # type: ignore[arg-type]
    ),
    "graph is 'vgg11'; expected a Graph: iopt.load('vgg11') gives one": (
        lambda: iopt.Problem("vgg11", TIERS)  # type: ignore[arg-type]
    ),
    ELSEWHERE: lambda: iopt.solve(PLACING),  # type: ignore[arg-type]
    f"{ELSEWHERE} ": lambda: list(iopt.compare(PLACING)),  # type: ignore[arg-type]
    f"{ELSEWHERE}  ": lambda: iopt.evaluate(PLACING, None),  # type: ignore[arg-type]
    HERE: lambda: exits.solve(SPLITTING),  # type: ignore[arg-type]
    f"{HERE} ": lambda: list(exits.compare(SPLITTING)),  # type: ignore[arg-type]
    f"{HERE}  ": lambda: exits.evaluate(SPLITTING, None),  # type: ignore[arg-type]
    f"{HERE}   ": lambda: exits.front(SPLITTING),  # type: ignore[arg-type]
    "problem is a Workload; expected a Problem: its .problem is one": (
        lambda: exits.solve(files.Workload(PLACING, (PROFILE,)))  # type: ignore[arg-type]
    ),
    "problem is None; expected a Problem": lambda: iopt.solve(None),  # type: ignore[arg-type]
    "plan is a Result; expected a Plan: its .plan is one": (
        lambda: exits.evaluate(PLACING, exits.solve(PLACING))  # type: ignore[arg-type]
    ),
    "plan is a Result; expected a Plan: its .plan is one ": (
        lambda: iopt.evaluate(SPLITTING, iopt.solve(SPLITTING, "single"))  # type: ignore[arg-type]
    ),
    "profile is an ExitNetwork; expected a Profile: Profile(network) makes one of a network": (
        lambda: exits.save_profile(PROFILE.network, "net.json")  # type: ignore[arg-type]
    ),
    "module is 'mypkg:net'; expected a Module": lambda: exits.observe("mypkg:net", [], "entropy"),  # type: ignore[arg-type]
    "module is 'mypkg:net'; expected a Module ": lambda: exits.profile("mypkg:net", [], "entropy", None, None),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("message", MISUSED)
def test_misuse_is_answered_with_the_way_out(message: str) -> None:
    with pytest.raises(OptionError) as caught:
        MISUSED[message]()
    assert str(caught.value).startswith(message.rstrip(" "))


def test_a_list_of_applications_will_do() -> None:
    problem = exits.Problem([CAMERA], TIERS)  # type: ignore[arg-type]
    assert problem == PLACING
    assert problem.applications == (CAMERA,)


def test_what_is_printed_of_an_evaluation_is_plain_numbers() -> None:
    result = exits.solve(PLACING)
    assert result.plan is not None
    evaluation = exits.evaluate(PLACING, result.plan)
    assert any(block.transfer_s > 0 for block in evaluation.applications[0].blocks)
    for printed in (evaluation.applications, evaluation.energy_j, result, exits.front(PLACING)):
        assert "np." not in repr(printed)
