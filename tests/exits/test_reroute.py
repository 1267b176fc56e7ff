"""Several applications one after another, and rerouted: no limit is broken, and what rerouting gains."""

from __future__ import annotations

import pytest

from iopt.cluster import Cluster, Device, Network
from iopt.exits.limits import Limits
from iopt.exits.network import Block, Exit, ExitNetwork
from iopt.exits.problem import Application, Problem
from iopt.exits.search.reroute import energy_of, reroute, sequential
from tests.exits.instances import Limited
from tests.exits.reference import judge, least_energy
from tests.exits.solved import plan_of, shapes_of, solvable


def test_one_after_another_and_rerouting_keep_the_limits() -> None:
    better = placed = optimal = 0
    for limited in ("any", "all", "links"):
        for problem, best in solvable(18, limited, applications=2):
            shapes, limits = shapes_of(problem), Limits.of(problem)
            first, again = sequential(shapes, limits), reroute(shapes, limits)
            assert again.count(None) <= first.count(None)
            for paths in (first, again):
                if None in paths:
                    continue
                judged = judge(problem, plan_of(shapes, paths))
                assert not judged.broken
                assert judged.energy_rate >= best * (1 - 1e-9)
                assert judged.energy_rate == pytest.approx(energy_of(shapes, paths), rel=1e-12)
            if None not in first and None not in again:
                placed += 1
                ours, theirs = energy_of(shapes, again), energy_of(shapes, first)
                assert ours <= theirs * (1 + 1e-9)
                better += ours < theirs * (1 - 1e-9)
                optimal += ours <= best * (1 + 1e-9)
    assert placed > 20
    assert optimal >= 0.9 * placed


def test_rerouting_helps_where_the_tightest_deadline_takes_the_wrong_node() -> None:
    """Both want the node that has room for one. The first to choose saves 1 J there, the other 4 J."""
    devices = (
        Device("far", 1.0, power_w=5.0, energy_per_bit_j=0.0),
        Device("near", 1.0, memory_bytes=1, power_w=1.0, energy_per_bit_j=0.0),
        Device("half", 1.0, power_w=2.0, energy_per_bit_j=0.0, memory_bytes=1),
    )
    place = Cluster("c", devices, Network(0.0, (1e9,) * 3, (1e9,) * 3))
    one = ExitNetwork("one", 0.0, (Block("b", 1.0, 0.0, 1),), (Exit("e", 1, 1.0, 1.0),))
    two = ExitNetwork("two", 0.0, (Block("b", 4.0, 0.0, 1),), (Exit("e", 1, 1.0, 1.0),))
    asked = (Application(one, 0.0, 10.0), Application(two, 0.0, 20.0))
    problem = Problem(asked, place, pinned=False, max_load=100.0)
    shapes, limits = shapes_of(problem), Limits.of(problem)
    assert energy_of(shapes, sequential(shapes, limits)) == 1 + 8
    assert energy_of(shapes, reroute(shapes, limits)) == 2 + 4 == least_energy(problem)


@pytest.mark.full
@pytest.mark.parametrize("limited", ["any", "all", "links"])
def test_rerouting_is_never_worse_on_more(limited: Limited) -> None:
    for problem, best in solvable(120, limited, applications=3, most_blocks=2):
        shapes, limits = shapes_of(problem), Limits.of(problem)
        first, again = sequential(shapes, limits), reroute(shapes, limits)
        assert again.count(None) <= first.count(None)
        if None not in again:
            assert not judge(problem, plan_of(shapes, again)).broken
            assert energy_of(shapes, again) >= best * (1 - 1e-9)
            if None not in first:
                assert energy_of(shapes, again) <= energy_of(shapes, first) * (1 + 1e-9)
