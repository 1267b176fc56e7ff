"""Threshold vectors as networks, and what may be dropped among them."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iopt.errors import OptionError
from iopt.exits.network import Block, Exit, ExitNetwork
from iopt.exits.observations import Observations
from iopt.exits.thresholds import Variant, grid, variants

NAMES = ("a", "b", "c")
NETWORK = ExitNetwork(
    "n",
    8.0,
    tuple(Block(f"block-{number}", 10.0 * number, 8.0) for number in range(1, 5)),
    (Exit("a", 1, 0.5, 0.5), Exit("b", 3, 0.25, 0.7), Exit("c", 4, 0.25, 0.9)),
)


def observations(seed: int, samples: int = 40, rule: Any = "entropy") -> Observations:
    rng = np.random.default_rng(seed)
    return Observations(
        rng.random((samples, 3)), rng.random((samples, 3)) < rng.permutation((0.4, 0.6, 0.9)), NAMES, rule
    )


def test_a_grid_divides_the_samples_evenly() -> None:
    seen = observations(0, samples=100)
    for column, values in zip(seen.confidence[:, :-1].T, grid(seen, 5), strict=True):
        assert (values[0], values[-1], len(values)) == (0.0, 1.0, 5)
        assert not set(values) & set(column)
        shares = [(column <= value).mean() for value in values]
        assert np.abs(np.diff(shares) - 0.25).max() <= 0.02


def test_a_grid_over_equal_confidences() -> None:
    seen = Observations(np.full((6, 2), 0.5), np.ones((6, 2), bool), ("a", "b"), "entropy")
    assert grid(seen, 9) == ((0.0, 1.0),)
    with pytest.raises(OptionError, match="size is 1; expected two thresholds"):
        grid(seen, 1)


def test_every_vector_is_a_network_with_its_own_exits() -> None:
    seen, grids = observations(1), [[0.1, 0.5], [0.0, 0.3, 1.0]]
    found = variants(NETWORK, seen, grids, drop_dominated=False)
    assert [variant.thresholds for variant in found] == list(product(*grids))
    for variant in found:
        outcome = seen.outcomes([variant.thresholds])
        assert [leave.fraction for leave in variant.network.exits] == outcome.fractions[0].tolist()
        assert [leave.accuracy for leave in variant.network.exits] == outcome.accuracies[0].tolist()
        assert variant.network.blocks is NETWORK.blocks


def least(found: list[Variant], exit: int, target: float, weights: Any) -> float:
    """The least cost over variants: expected use of each block up to an exit, weighted; infinite below the target."""
    costs = [
        sum(
            weight * reach
            for weight, reach in zip(weights, variant.network.reach[: NETWORK.exits[exit].after], strict=False)
        )
        for variant in found
        if variant.network.exits[exit].accuracy >= target
    ]
    return min(costs, default=float("inf"))


@settings(deadline=None, max_examples=40, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from(["entropy", "max-probability"]))
def test_nothing_is_lost_with_what_is_dropped(seed: int, rule: str) -> None:
    """The least cost for any exit, accuracy target and cost of blocks stays the same."""
    seen, rng = observations(seed, samples=25, rule=rule), np.random.default_rng(seed)
    grids = [values[1:-1] for values in grid(seen, 8)]  # not 0 and 1: they make accuracies of two exits equal
    everything, kept = (variants(NETWORK, seen, grids, drop_dominated=drop) for drop in (False, True))
    assert set(kept) <= set(everything)
    for _ in range(30):
        exit, weights = int(rng.integers(3)), rng.random(4) ** 4
        target = everything[rng.integers(len(everything))].network.exits[exit].accuracy
        assert least(kept, exit, target, weights) == pytest.approx(least(everything, exit, target, weights), abs=1e-12)


def test_most_of_a_grid_is_dropped() -> None:
    seen = observations(3, samples=60)
    assert len(variants(NETWORK, seen, grid(seen, 12))) < 0.8 * 12**2


@pytest.mark.parametrize(
    ("grids", "message"),
    [
        ([[0.5]], "grids: 1 given; expected 2, one per exit but the last"),
        ([[0.5], []], "grids: 0 threshold vectors; expected 1 to"),
        ([[0.5] * 1000, [0.5] * 1000], "grids: 1000000 threshold vectors"),
        ([[0.5, 1.5], [0.5]], "thresholds: 1.5 for exit 'a'"),
    ],
)
def test_grids_that_are_refused(grids: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        variants(NETWORK, observations(0), grids)


def test_observations_of_another_network() -> None:
    other = Observations(np.full((2, 3), 0.5), np.ones((2, 3), bool), ("a", "b", "d"), "entropy")
    with pytest.raises(OptionError, match="observations are of exits a, b, d; expected a, b, c"):
        variants(NETWORK, other, [[0.5], [0.5]])
