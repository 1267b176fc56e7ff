"""Whether a sample is sure enough to leave, and what that makes of fractions and accuracies. Arrays only.

A rule turns the scores of an exit into a confidence: `entropy`, that of the softmax over log(classes), 0 (sure) ... 1,
leaves at or below its threshold (Teerapittayanon et al. 2016, BranchyNet, there without the normalisation);
`max-probability`, the largest entry of the softmax, leaves at or above it. The deepest exit deployed takes the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from iopt.door.wording import hint, shown
from iopt.errors import OptionError

Rule = Literal["entropy", "max-probability"]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

DEFAULT_THRESHOLDS: dict[Rule, float] = {"entropy": 0.05, "max-probability": 0.95}
"""For every exit but the last: who leaves is nearly sure. 0.05 of the entropy of ten classes is about that of one class
at 0.975 and another at 0.025."""

_CELLS = 2**24
"""Flags of threshold vectors x samples that are held at a time."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What threshold vectors make of the exits, [vectors, exits] both.

    `fractions`: of all samples that leave at exit k when all exits are deployed. `accuracies`: of the network when k is
    the deepest exit, so that all that come so far leave there.
    """

    fractions: Floats
    accuracies: Floats


def checked_rule(rule: object) -> Rule:
    """The rule itself. Raises `OptionError` for an unknown one."""
    for known in get_args(Rule):
        if rule == known:
            found: Rule = known
            return found
    near = hint(rule, get_args(Rule)) if isinstance(rule, str) else ""
    raise OptionError(f"rule is {shown(rule)}; expected {' or '.join(map(repr, get_args(Rule)))}{near}")


def default_thresholds(rule: object, names: Sequence[str]) -> list[float]:
    """One per exit but the last. Raises `OptionError` for an unknown rule."""
    return [DEFAULT_THRESHOLDS[checked_rule(rule)]] * (len(names) - 1)


def checked_thresholds(thresholds: Sequence[float] | Floats, names: Sequence[str]) -> Floats:
    """One threshold of 0 ... 1 per exit but the last, as an array; `names` are those of all exits.

    Raises `OptionError` that says how many are expected, or names the exit whose threshold is out of range.
    """
    before = names[:-1]
    try:
        values = np.asarray(thresholds, dtype=np.float64)
    except (TypeError, ValueError):
        raise OptionError(f"thresholds are {shown(thresholds)}; expected numbers from 0 to 1") from None
    if values.shape != (len(before),):
        given = f"{values.shape[0]} given" if values.ndim == 1 else f"an array of {values.ndim} dimensions given"
        listed = f" ({', '.join(before)})" if before else ""
        raise OptionError(f"thresholds: {given}; expected {len(before)}, one per exit but the last{listed}")
    for name, value in zip(before, values.tolist(), strict=True):
        if not 0 <= value <= 1:
            raise OptionError(f"thresholds: {value:g} for exit {name!r}; expected a number from 0 to 1")
    return values


def confidence(scores: NDArray[np.floating], rule: Rule) -> Floats:
    """Confidence [...] of scores [..., classes] before the softmax, computed in double precision."""
    shifted = scores.astype(np.float64) - scores.max(axis=-1, keepdims=True)
    logarithms = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    probabilities = np.exp(logarithms)
    if rule == "max-probability":
        most: Floats = probabilities.max(axis=-1)
        return most
    classes = scores.shape[-1]
    if classes == 1:
        return np.zeros(scores.shape[:-1])
    entropy: Floats = np.clip(-(probabilities * logarithms).sum(axis=-1) / np.log(classes), 0.0, 1.0)
    return entropy


def leaves(values: Floats, threshold: float | Floats, rule: Rule) -> Flags:
    """Whether samples of these confidences leave; the two arrays are broadcast."""
    found: Flags = values <= threshold if rule == "entropy" else values >= threshold
    return found


def outcomes(values: Floats, correct: Flags, thresholds: Floats, rule: Rule) -> Outcomes:
    """Fractions and accuracies of threshold vectors [vectors, exits - 1] on samples observed at every exit.

    `values` and `correct`: confidence and whether the class of the largest score is right, [samples, exits].
    """
    samples, exits = values.shape
    left = np.zeros((len(thresholds), exits))
    right = np.zeros((len(thresholds), exits))
    step = max(1, _CELLS // samples)
    for start in range(0, len(thresholds), step):
        part = slice(start, start + step)
        left[part], right[part] = _counts(values, correct, thresholds[part], rule)
    return Outcomes(left / samples, right / samples)


def _counts(values: Floats, correct: Flags, thresholds: Floats, rule: Rule) -> tuple[Floats, Floats]:
    """Samples that leave at each exit, and samples that are right when it is the deepest; [vectors, exits] both."""
    (_, exits), vectors = values.shape, len(thresholds)
    left, right = np.zeros((vectors, exits)), np.zeros((vectors, exits))
    present = np.ones((vectors, len(values)), dtype=bool)
    settled = np.zeros(vectors)
    for index in range(exits):
        right[:, index] = settled + (present & correct[:, index]).sum(axis=1)
        if index == exits - 1:
            left[:, index] = present.sum(axis=1)
            break
        going = present & leaves(values[:, index], thresholds[:, index, None], rule)
        left[:, index] = going.sum(axis=1)
        settled += (going & correct[:, index]).sum(axis=1)
        present &= ~going
    return left, right
