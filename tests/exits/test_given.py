"""What Python code gives that is no problem, plan or option: one line says what it is and what is expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from experiments.exits_instances import drawn
from iopt.errors import IoptError
from iopt.exits import Block, Exit, ExitNetwork, Plan, Problem, evaluate, grid, load_profile, threshold_front, variants
from iopt.exits.methods import compare, solve
from iopt.exits.milp import solve_milp
from iopt.exits.observations import Observations
from iopt.exits.runtime import check_placement
from iopt.exits.search import fin
from tests.exits.by_hand import three

PROBLEM = three()
(ASKED,) = PROBLEM.applications
NETWORK = ASKED.network
PLAN = solve(PROBLEM).plan
assert PLAN is not None
(PLACEMENT,) = PLAN.placements
SEEN = Observations(np.array([[0.5, 1.0], [0.9, 1.0]]), np.ones((2, 2), dtype=bool), ("a", "b"), "entropy")
TWO = ExitNetwork("two", 1.0, (Block("a", 1.0, 1.0), Block("b", 1.0, 0.0)), (Exit("a", 1, 0, 0), Exit("b", 2, 1, 1)))


def placed(**changes: Any) -> Plan:
    return Plan((replace(PLACEMENT, **changes),))


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: replace(ASKED, source=0), "application 'net': source is 0; expected the name of a device"),
    (lambda: replace(ASKED, name=5), "application 5: name is 5; expected text"),
    (lambda: replace(PROBLEM, pinned="no"), "pinned is 'no'; expected True or False"),
    (lambda: replace(PROBLEM, tier_order=1), "tier_order is 1; expected True or False"),
    (lambda: replace(NETWORK, name=3), "network 3: name: 3; expected text"),
    (lambda: replace(NETWORK, blocks=(1,)), "network 'net': blocks[0] is 1; expected a Block"),
    (lambda: replace(NETWORK, exits=NETWORK.exits[0]), "network 'net': exits is an Exit; expected a tuple"),
    (lambda: replace(TWO, blocks=(replace(TWO.blocks[0], name=3), TWO.blocks[1])), "blocks[0].name: 3; expected text"),
    (lambda: replace(TWO, exits=(replace(TWO.exits[0], name=3), TWO.exits[1])), "exits[0].name: 3; expected text"),
    (lambda: solve(PROBLEM, "milp", starts=PLAN), "starts is a Plan; expected a tuple: [plan] for a single one"),
    (lambda: solve(PROBLEM, "fin", starts=[None]), "starts[0] is None; expected a Plan"),
    (lambda: solve(PROBLEM, labels="x"), "labels is 'x'; expected a whole number, 1 or more"),
    (lambda: solve(PROBLEM, labels=-5), "labels is -5; expected a whole number, 1 or more"),
    (lambda: solve_milp(PROBLEM, formulation="foo"), "formulation is 'foo'; expected 'flow' or 'plain'"),
    (lambda: solve_milp(PROBLEM, starts=PLAN), "starts is a Plan; expected a tuple: [plan]"),
    (lambda: threshold_front(PROBLEM, [1]), "variants[0] is 1; expected a Variant: iopt.exits.variants makes them"),
    (lambda: evaluate(PROBLEM, placed(nodes=(0.0, 0.0, 0.0))), "nodes (0.0, 0.0, 0.0); expected each in 0 ... 2"),
    (lambda: evaluate(PROBLEM, placed(nodes=3)), "nodes are 3; expected a tuple of whole numbers"),
    (lambda: evaluate(PROBLEM, placed(exit=None)), "exit None; expected 0 ... "),
    (lambda: evaluate(PROBLEM, Plan(PLACEMENT)), "placements is a Placement; expected a tuple: (placement,) for a"),
    (lambda: evaluate(PROBLEM, Plan((1,))), "placements[0] is 1; expected a Placement"),
    (lambda: check_placement(NETWORK, replace(PLACEMENT, nodes=None)), "placement: nodes are None; expected a tuple"),
    (lambda: load_profile(3), "profile is 3; expected a name of a profile, or a path"),
    (lambda: grid(3, 3), "observations is 3; expected an Observations"),
    (lambda: grid(SEEN, "x"), "size is 'x'; expected two thresholds or more per exit"),
    (lambda: variants(3, SEEN, [[0.5]]), "network is 3; expected an ExitNetwork"),
    (lambda: variants(TWO, SEEN, [0.5]), "grids are [0.5]; expected numbers from 0 to 1 for each exit but the last"),
    (lambda: variants(TWO, SEEN, [["x"]]), "grids are [['x']]; expected numbers"),
    (lambda: Observations([[1]], [[1]], ("a",), "entropy"), "observations: confidence: [[1]]; expected an array"),
]


@pytest.mark.parametrize(("call", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_one_line_says_what_is_wrong(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(IoptError, match=re.escape(words)) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_lists_are_as_good_as_tuples() -> None:
    network = ExitNetwork("net", NETWORK.input_bits, list(NETWORK.blocks), list(NETWORK.exits))
    assert network == replace(NETWORK, name="net")
    assert hash(network) == hash(replace(NETWORK, name="net"))
    assert evaluate(PROBLEM, Plan([PLACEMENT])).is_feasible
    assert evaluate(PROBLEM, placed(nodes=tuple(np.array(PLACEMENT.nodes)))).is_feasible


# The layered graph of FIN


def test_gamma_is_refused_where_the_layered_graph_does_not_fit() -> None:
    most = 2**27 // (60 * 100) - 1
    assert fin.most_gamma(60, 100) == most
    words = f"gamma is 100000; expected at most {most}: the layered graph of 60 blocks on 100 nodes has to fit"
    problem = drawn(60, 100, 0)
    with pytest.raises(IoptError, match=words):
        solve(problem, "fin", gamma=100_000)
    with pytest.raises(IoptError, match=words):
        next(compare(problem, gamma=100_000))


def test_what_fits_is_as_large_as_it_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only as deep as the exit needed; where all steps into a block would not fit at once, the answer is the same."""
    shallow: Problem = drawn(8, 4, 1)
    shallow = replace(shallow, applications=(replace(shallow.applications[0], accuracy=0.6),))
    expected = solve(shallow, "fin", gamma=40)
    depth = shallow.applications[0].network.exits[0].after
    monkeypatch.setattr(fin, "MOST_CELLS", 41 * depth * 4)
    assert fin.MOST_CELLS < 4 * 4 * 41
    assert solve(shallow, "fin", gamma=40).plan == expected.plan
    with pytest.raises(IoptError, match="gamma is 41; expected at most 40"):
        solve(shallow, "fin", gamma=41)
