"""Rules of confidence, and fractions and accuracies against a count sample by sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iopt.errors import ModelError, OptionError
from iopt.exits import confidence as rules
from iopt.exits.confidence import Rule, checked_rule, checked_thresholds, confidence, leaves, outcomes
from iopt.exits.observations import Observations

RULES: list[Rule] = ["entropy", "max-probability"]


def test_confidence_of_known_scores() -> None:
    scores = np.array([[0.0, 0.0, 0.0, 0.0], [np.log(3.0), 0.0, -np.inf, -np.inf], [800.0, 0.0, 0.0, 0.0]])
    scores[1, 2:] = -1e9
    assert confidence(scores, "max-probability") == pytest.approx([0.25, 0.75, 1.0])
    uneven = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(4)
    assert confidence(scores, "entropy") == pytest.approx([1.0, uneven, 0.0])
    single = confidence(scores[1:2].astype(np.float32), "entropy")
    assert (single.dtype, single.shape) == (np.float64, (1,))


def test_low_entropy_and_high_probability_are_confident() -> None:
    values = np.array([0.2, 0.5, 0.7])
    assert leaves(values, 0.5, "entropy").tolist() == [True, True, False]
    assert leaves(values, 0.5, "max-probability").tolist() == [False, True, True]


def counted(values: Any, correct: Any, thresholds: Any, rule: Rule) -> tuple[list[float], list[float]]:
    """Fractions and accuracies, one sample after another."""
    samples, exits = values.shape
    left, right = [0] * exits, [0] * exits
    for sample in range(samples):
        sure = [bool(leaves(values[sample, k], thresholds[k], rule)) for k in range(exits - 1)]
        out = next((k for k in range(exits - 1) if sure[k]), exits - 1)
        left[out] += 1
        for deepest in range(exits):
            right[deepest] += bool(correct[sample, min(out, deepest)])
    return [count / samples for count in left], [count / samples for count in right]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 12), st.sampled_from(RULES))
def test_outcomes_are_those_of_a_count(seed: int, exits: int, samples: int, rule: Rule) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 5, (samples, exits)) / 4  # with ties, also at the thresholds
    correct = rng.random((samples, exits)) < 0.6
    thresholds = rng.integers(0, 5, (7, exits - 1)) / 4
    found = outcomes(values, correct, thresholds, rule)
    for vector, fractions, accuracies in zip(thresholds, found.fractions, found.accuracies, strict=True):
        expected = counted(values, correct, vector, rule)
        assert (fractions.tolist(), accuracies.tolist()) == expected


def test_many_vectors_are_worked_off_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    values, correct, thresholds = rng.random((50, 3)), rng.random((50, 3)) < 0.5, rng.random((40, 2))
    whole = outcomes(values, correct, thresholds, "entropy")
    monkeypatch.setattr(rules, "_CELLS", 150)
    parts = outcomes(values, correct, thresholds, "entropy")
    assert np.array_equal(whole.fractions, parts.fractions)
    assert np.array_equal(whole.accuracies, parts.accuracies)


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        ([], r"thresholds: 0 given; expected 2, one per exit but the last \(a, b\)"),
        ([0.1] * 3, "thresholds: 3 given; expected 2"),
        ([[0.1, 0.2]], "thresholds: an array of 2 dimensions given; expected 2"),
        ([0.1, 1.5], "thresholds: 1.5 for exit 'b'; expected a number from 0 to 1"),
        ([float("nan"), 0.5], "thresholds: nan for exit 'a'"),
        (["x", 0.5], "thresholds are .*; expected numbers from 0 to 1"),
    ],
)
def test_thresholds_that_are_refused(thresholds: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        checked_thresholds(thresholds, ["a", "b", "c"])


def test_rules_that_are_refused() -> None:
    with pytest.raises(OptionError, match="rule is 'entropie'; expected 'entropy' or 'max-probability'; did you mean"):
        checked_rule("entropie")
    with pytest.raises(OptionError, match="rule is 3; expected"):
        checked_rule(3)


def observed(**changes: Any) -> Observations:
    given = {
        "confidence": np.full((3, 2), 0.5),
        "correct": np.ones((3, 2), bool),
        "names": ("a", "b"),
        "rule": "entropy",
    }
    return Observations(**{**given, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"confidence": np.full((3, 3), 0.5)}, "confidence: 3 x 3; expected samples x exits, here x 2"),
        ({"correct": np.ones((2, 2), bool)}, "correct: 2 x 2; confidence: 3 x 2"),
        ({"confidence": np.zeros((0, 2))}, "confidence: 0 x 2; expected"),
        ({"confidence": np.full((3, 2), np.nan)}, "confidence: expected numbers from 0 to 1"),
        ({"confidence": np.full((3, 2), 1.1)}, "confidence: expected numbers from 0 to 1"),
    ],
)
def test_observations_that_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        observed(**changes)


def test_equal_observations() -> None:
    assert observed() == observed()
    assert observed() != observed(names=("a", "c"))
    assert observed() != observed(correct=np.zeros((3, 2), bool))
    with pytest.raises(OptionError, match="thresholds: 2 for exit 'a'"):
        observed().outcomes([[0.5], [2.0]])
    with pytest.raises(OptionError, match="thresholds: 2 given; expected 1"):
        observed().outcomes([[0.5, 0.5]])
