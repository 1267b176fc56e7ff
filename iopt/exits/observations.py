"""What was seen of a network, per sample and exit the confidence and whether the answer is right; and the profile of a
network, whose fractions and accuracies come from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from iopt.door.wording import shown
from iopt.errors import ModelError
from iopt.exits.confidence import Flags, Floats, Outcomes, Rule, checked_rule, checked_thresholds, outcomes
from iopt.exits.network import FRACTION_TOLERANCE, ExitNetwork


@dataclass(frozen=True, eq=False)
class Observations:
    """`confidence` (by `rule`, 0 ... 1) and `correct`, [samples, exits] both; `names` of the exits in order of depth.

    Raises `ModelError` where the arrays do not fit the names or each other, or a confidence is no number of 0 ... 1.
    """

    confidence: Floats
    correct: Flags
    names: tuple[str, ...]
    rule: Rule

    def __post_init__(self) -> None:
        checked_rule(self.rule)
        exits = len(self.names)
        for key in ("confidence", "correct"):
            if not isinstance(getattr(self, key), np.ndarray):
                raise ModelError(f"observations: {key}: {shown(getattr(self, key))}; expected an array")
            shape = getattr(self, key).shape
            given = " x ".join(map(str, shape))
            if len(shape) != 2 or shape[0] < 1 or shape[1] != exits:
                raise ModelError(f"observations: {key}: {given}; expected samples x exits, here x {exits}")
            if shape != self.confidence.shape:
                raise ModelError(f"observations: {key}: {given}; confidence: {len(self.confidence)} x {exits}")
        if not np.all((self.confidence >= 0) & (self.confidence <= 1)):
            raise ModelError("observations: confidence: expected numbers from 0 to 1")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Observations):
            return NotImplemented
        same = (self.names, self.rule) == (other.names, other.rule)
        equal = np.array_equal(self.confidence, other.confidence) and np.array_equal(self.correct, other.correct)
        return same and equal

    __hash__ = None  # type: ignore[assignment]  # arrays cannot be hashed

    def __len__(self) -> int:
        """The number of samples."""
        return len(self.confidence)

    def outcomes(self, thresholds: Sequence[Sequence[float] | Floats] | Floats) -> Outcomes:
        """Fractions and accuracies under each of these threshold vectors. Raises `OptionError` for a wrong one."""
        vectors = np.array([np.asarray(vector, dtype=np.float64) for vector in thresholds], dtype=np.float64)
        wrong = ~((vectors >= 0) & (vectors <= 1)).all(axis=-1)
        if vectors.ndim != 2 or vectors.shape[1] != len(self.names) - 1 or wrong.any():
            checked_thresholds(vectors[wrong.argmax()] if vectors.ndim == 2 else vectors, self.names)
        return outcomes(self.confidence, self.correct, vectors, self.rule)


@dataclass(frozen=True)
class Measured:
    """How the exits of a network were measured: on so many `samples`, by this `rule` with these `thresholds`."""

    rule: Rule
    thresholds: tuple[float, ...]
    samples: int


@dataclass(frozen=True)
class Profile:
    """An early-exit network with where it comes from.

    `graph_hash`: of the graph that the blocks were cut from (`iopt.graph.file.graph_hash`). `measured` and
    `observations` where the exits were measured. `reconstructed`: keys whose values are not published, but ours. Raises
    `ModelError` where these do not fit the network.
    """

    network: ExitNetwork
    graph_hash: str | None = None
    measured: Measured | None = None
    observations: Observations | None = None
    description: str = ""
    reconstructed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = tuple(leave.name for leave in self.network.exits)
        if self.measured is not None:
            checked_rule(self.measured.rule)
            checked_thresholds(self.measured.thresholds, names)
        if self.observations is not None and self.observations.names != names:
            got = ", ".join(self.observations.names)
            raise ModelError(f"observations: exits are named {got}; expected {', '.join(names)}")
        if self.measured is not None and self.observations is not None:
            self._check_measured(self.measured, self.observations)

    def _check_measured(self, measured: Measured, observations: Observations) -> None:
        if (measured.rule, measured.samples) != (observations.rule, len(observations)):
            got = f"{measured.rule} on {measured.samples} samples"
            raise ModelError(f"measured: {got}; its observations are {observations.rule} on {len(observations)}")
        found = observations.outcomes([measured.thresholds])
        for index, leave in enumerate(self.network.exits):
            for key, values in (("fraction", found.fractions), ("accuracy", found.accuracies)):
                stated, seen = getattr(leave, key), float(values[0, index])
                if abs(stated - seen) > FRACTION_TOLERANCE:
                    raise ModelError(f"exits[{index}].{key}: {stated:g}; its observations and thresholds give {seen:g}")
