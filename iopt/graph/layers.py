"""The vocabulary of a network: shapes, sliding windows, and the layers that an operator is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple

ELEMENT_BYTES = 4
"""fp32."""


class Shape(NamedTuple):
    """`channels x height x width` of a tensor; a vector of C features is `C x 1 x 1`."""

    channels: int
    height: int
    width: int

    @property
    def elements(self) -> int:
        return self.channels * self.height * self.width

    @property
    def bytes(self) -> int:
        return self.elements * ELEMENT_BYTES

    def __str__(self) -> str:
        return "x".join(map(str, self))


@dataclass(frozen=True)
class Window:
    """A sliding window, (rows, columns)."""

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def reach(self, side: int) -> int:
        """Cells between the first and one past the last cell that one position of the window reads."""
        return self.dilation[side] * (self.kernel[side] - 1) + 1

    @property
    def may_read_nothing(self) -> bool:
        """Whether a position may lie in the padding alone."""
        return any(self.padding[side] >= self.reach(side) for side in (0, 1))

    def positions(self, side: int, size: int, ceil_mode: bool = False) -> int:
        """Number of positions of the window over `size` cells, by PyTorch's rule."""
        stride, padding = self.stride[side], self.padding[side]
        room = size + 2 * padding - self.reach(side)
        count = (-(-room // stride) if ceil_mode else room // stride) + 1
        if ceil_mode and (count - 1) * stride >= size + padding:
            count -= 1
        return count

    def cells(self, side: int, lo: int, hi: int, size: int) -> tuple[int, int]:
        """The cells, clipped to `[0, size)`, that positions `[lo, hi)` read; nothing for an empty interval, or where
        they read padding alone."""
        if hi <= lo:
            return 0, 0
        stride, padding = self.stride[side], self.padding[side]
        first = lo * stride - padding
        last = (hi - 1) * stride - padding + self.reach(side)
        return (max(first, 0), min(last, size)) if first < size and last > 0 else (0, 0)


@dataclass(frozen=True)
class Conv2d:
    weight: str
    """Name of the weight in the state dict: `out x in/groups x kernel rows x kernel columns`."""
    window: Window
    groups: int = 1
    bias: str | None = None
    kind: Literal["conv2d"] = "conv2d"

    __pydantic_config__: ClassVar = {"extra": "forbid"}


@dataclass(frozen=True)
class Linear:
    weight: str
    """Name of the weight in the state dict: `out x in`."""
    bias: str | None = None
    kind: Literal["linear"] = "linear"

    __pydantic_config__: ClassVar = {"extra": "forbid"}


@dataclass(frozen=True)
class Pool:
    """Max or average pooling; `window` None means adaptive."""

    reduce: Literal["max", "average"]
    window: Window | None
    ceil_mode: bool = False
    count_include_pad: bool = True
    divisor_override: int | None = None
    kind: Literal["pool"] = "pool"

    __pydantic_config__: ClassVar = {"extra": "forbid"}


@dataclass(frozen=True)
class Add:
    kind: Literal["add"] = "add"

    __pydantic_config__: ClassVar = {"extra": "forbid"}


@dataclass(frozen=True)
class Concat:
    """Concatenation along the channels."""

    kind: Literal["concat"] = "concat"

    __pydantic_config__: ClassVar = {"extra": "forbid"}


@dataclass(frozen=True)
class Identity:
    """An operator that is its epilogue alone, where an elementwise layer has no weighted producer to fuse with."""

    kind: Literal["identity"] = "identity"

    __pydantic_config__: ClassVar = {"extra": "forbid"}


ACTIVATIONS: dict[str, tuple[str, ...]] = {
    "relu": (),
    "relu6": (),
    "hardtanh": ("min_val", "max_val"),
    "hardswish": (),
    "hardsigmoid": (),
    "sigmoid": (),
    "tanh": (),
    "silu": (),
    "gelu": ("approximate",),
    "leaky_relu": ("negative_slope",),
    "elu": ("alpha",),
    "celu": ("alpha",),
    "selu": (),
    "softplus": ("beta", "threshold"),
    "mish": (),
}
"""Elementwise functions by their names in `torch.nn.functional`, with the keyword arguments that each may carry."""


@dataclass(frozen=True)
class Activation:
    """An elementwise function, one of `ACTIVATIONS`, with its keyword arguments."""

    function: str
    arguments: dict[str, float | str] = field(default_factory=dict, hash=False)
    kind: Literal["activation"] = "activation"

    __pydantic_config__: ClassVar = {"extra": "forbid"}


@dataclass(frozen=True)
class BatchNorm:
    """Batch norm over `features`; `folded` into weight and bias of the body, or applied as scale and shift here."""

    name: str
    """Prefix of its entries in the state dict."""
    features: int
    eps: float
    folded: bool
    affine: bool = True
    kind: Literal["batch_norm"] = "batch_norm"

    __pydantic_config__: ClassVar = {"extra": "forbid"}


@dataclass(frozen=True)
class Flatten:
    """Channel `c` becomes the features `[c*H*W, (c+1)*H*W)`; the tensor keeps its shape in this description."""

    kind: Literal["flatten"] = "flatten"

    __pydantic_config__: ClassVar = {"extra": "forbid"}


Body = Conv2d | Linear | Pool | Add | Concat | Identity
Step = Activation | BatchNorm | Pool | Flatten
