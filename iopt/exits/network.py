"""An early-exit network as a placement sees it: blocks in order, and exits after some of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

from iopt.door.given import as_tuple
from iopt.door.numbers import is_number
from iopt.door.wording import shown
from iopt.errors import ModelError

FRACTION_TOLERANCE = 1e-6
"""By so much the exit fractions of a network may miss a sum of 1: published ones are rounded."""


@dataclass(frozen=True)
class Block:
    """`ops`: operations of one inference; `out_bits`: what it passes on to the next block (0 for the last);
    `weight_bytes`: parameters that its node holds."""

    name: str
    ops: float
    out_bits: float
    weight_bytes: int = 0


@dataclass(frozen=True)
class Exit:
    """An exit after block `after` (counted from 1). `fraction` of all samples leave there; `accuracy`: of the network
    when this is the deepest exit deployed, so that every sample that comes so far leaves here."""

    name: str
    after: int
    fraction: float
    accuracy: float


@dataclass(frozen=True)
class ExitNetwork:
    """Blocks and exits, both in order; the last exit comes after the last block.

    `input_bits`: the raw input. Lists of blocks and exits become tuples. Raises `ModelError` that names the entry, what
    it is and what was expected, and `OptionError` for what is no block or exit.
    """

    name: str
    input_bits: float
    blocks: tuple[Block, ...]
    exits: tuple[Exit, ...]

    def __post_init__(self) -> None:
        self._check_name("name", self.name)
        for key, kind in (("blocks", Block), ("exits", Exit)):
            object.__setattr__(self, key, as_tuple(getattr(self, key), kind, f"network {self.name!r}: {key}"))
        if not self.blocks:
            self._refuse("blocks", "none", "at least one")
        if not self.exits:
            self._refuse("exits", "none", "at least one")
        self._check("input_bits", self.input_bits)
        for index, block in enumerate(self.blocks):
            for key in ("ops", "out_bits", "weight_bytes"):
                self._check(f"blocks[{index}].{key}", getattr(block, key))
            self._check_name(f"blocks[{index}].name", block.name)
        before = 0
        for index, leave in enumerate(self.exits):
            self._check_name(f"exits[{index}].name", leave.name)
            for key in ("fraction", "accuracy"):
                self._check(f"exits[{index}].{key}", getattr(leave, key), highest=1.0)
            if type(leave.after) is not int or not before < leave.after <= len(self.blocks):
                expected = f"a block from {before + 1} to {len(self.blocks)}: exits are in order"
                self._refuse(f"exits[{index}].after", shown(leave.after), expected)
            before = leave.after
        if before != len(self.blocks):
            self._refuse("exits", f"the last after block {before}", f"one after the last block, {len(self.blocks)}")
        for key in ("blocks", "exits"):
            names = [entry.name for entry in getattr(self, key)]
            if twice := next((name for index, name in enumerate(names) if name in names[:index]), None):
                self._refuse(key, f"two are named {twice!r}", "unique names")
        total = math.fsum(leave.fraction for leave in self.exits)
        if abs(total - 1) > FRACTION_TOLERANCE:
            self._refuse("exits", f"fractions with a sum of {total:g}", "a sum of 1")

    @cached_property
    def reach(self) -> tuple[float, ...]:
        """Per block the fraction of samples that come so far: 1 minus the fractions of the exits before it."""
        gone = [
            math.fsum(leave.fraction for leave in self.exits if leave.after < block)
            for block in range(1, len(self.blocks) + 1)
        ]
        return tuple(min(1.0, max(0.0, 1.0 - fraction)) for fraction in gone)

    def _check_name(self, key: str, value: object) -> None:
        if not isinstance(value, str):
            self._refuse(key, shown(value), "text")

    def _check(self, key: str, value: object, highest: float = math.inf) -> None:
        if not (is_number(value) and 0 <= value <= highest):
            expected = "zero or more" if highest == math.inf else f"a number from 0 to {highest:g}"
            self._refuse(key, shown(value), expected)

    def _refuse(self, key: str, got: str, expected: str) -> NoReturn:
        raise ModelError(f"network {self.name!r}: {key}: {got}; expected {expected}")
