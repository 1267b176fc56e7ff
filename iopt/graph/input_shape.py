"""The shape of a network's input as people write it: `1x3x224x224`, or `1x784` for a network of linear layers."""

from __future__ import annotations

import math
import re

from iopt.door.wording import shown
from iopt.errors import ModelError
from iopt.graph.layers import Shape

EXPECTED = "expected 1 x channels x height x width such as 1x3x224x224, or 1 x features such as 1x784"
MAX_ELEMENTS = 2**31


def parse_shape(text: str) -> tuple[int, ...]:
    """`(1, 3, 224, 224)` for `1x3x224x224`. Raises `ModelError` that says what was expected."""
    sizes = text.strip().lower().split("x")
    if not all(re.fullmatch(r"\s*-?[0-9]{1,18}\s*", size) for size in sizes):
        raise ModelError(f"input shape {shown(text)}: {EXPECTED}")
    return checked_shape(tuple(map(int, sizes)))


def checked_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape itself. Raises `ModelError` unless it has 4 or 2 positive sizes, the first of them 1."""
    if not isinstance(shape, tuple | list) or not all(type(size) is int for size in shape):
        raise ModelError(f"input shape {shown(shape)} is not a tuple of whole numbers; {EXPECTED}")
    written = f"input shape {'x'.join(map(str, shape))}"
    if len(shape) not in (2, 4):
        raise ModelError(f"{written} has {len(shape)} {'size' if len(shape) == 1 else 'sizes'}; {EXPECTED}")
    if min(shape) < 1:
        raise ModelError(f"{written} has a size of {min(shape)}; sizes must be positive")
    if shape[0] != 1:
        raise ModelError(f"{written} has a batch of {shape[0]}; iopt plans one input at a time: {EXPECTED}")
    if math.prod(shape) > MAX_ELEMENTS:
        raise ModelError(f"{written} has more than {MAX_ELEMENTS} elements")
    return tuple(shape)


def as_shape(sizes: tuple[int, ...]) -> Shape:
    """Without the batch; features become channels of 1 x 1."""
    return Shape(*sizes[1:]) if len(sizes) == 4 else Shape(sizes[1], 1, 1)
