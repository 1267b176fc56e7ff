"""What is given: a network, a limit of memory, and the conventions by which a configuration is judged."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from iopt.door.given import check_choice, check_kind
from iopt.door.numbers import is_number
from iopt.door.wording import shown
from iopt.errors import ModelError, OptionError
from iopt.graph import Graph
from iopt.tiling.grids import Grid
from iopt.tiling.latency import HostModel
from iopt.tiling.layers import Layer, layers_of
from iopt.tiling.predictors import EXECUTORS, Backend, Predictor, Weights
from iopt.tiling.segments import Segment, alive_maps, segments_of

Objective = Literal["macs", "latency", "memory"]
Crop = Literal["exact", "rim"]

TOLERANCE = 1e-9
"""Relative tolerance of the overhead limit; bytes are whole numbers and have none."""
ROOM = 1 + 1e-7
"""Limits are so many times as large for a solver, see `iopt.exits.problem`."""
MOST_BYTES = 2**53
"""Of a limit."""
MOST_EXTENT = 2**44
"""Of one layer, see `Layer.extent`: sums over layers and tiles are then whole numbers of 64 bits."""
MOST_TILES = 64
"""Rows, and columns, of tiles at most in a search."""


@dataclass(frozen=True)
class Problem:
    """Cut the layers of `graph` into groups and each group's output into tiles.

    `memory_bytes`: limit of the peak, None for no limit. `objective`: least `macs`, least `latency` (with `host`), or
    least `memory`, then with `overhead`: multiply-accumulates at most so many times those of the untiled network.
    `predictor`: how memory is counted, with MAFAT's own `bias_bytes`; `weights`: all in memory (`resident`), those of
    the running layer (`streamed`), or not counted; `backend`: whether convolutions write im2col columns. `grid`: where
    tiles are cut; `crop`: tiles compute what is wanted (`exact`), or all that darknet computes (`rim`).
    `max_tiles`: rows, and columns, of tiles that a search considers; `reuse`: whether it considers
    checkerboard reuse, which `rim` does not have.
    Raises `OptionError`, and `ModelError` for a network with early exits.
    """

    graph: Graph
    memory_bytes: int | None = None
    objective: Objective = "macs"
    overhead: float | None = None
    predictor: Predictor = "lean"
    bias_bytes: int | None = None
    weights: Weights = "resident"
    backend: Backend = "implicit"
    grid: Grid = "balanced"
    crop: Crop = "exact"
    max_tiles: int = 8
    reuse: bool = True
    host: HostModel | None = None

    def __post_init__(self) -> None:
        check_kind(self.graph, Graph, "network", "iopt.load")
        choices = {
            "objective": Objective,
            "predictor": Predictor,
            "weights": Weights,
            "backend": Backend,
            "grid": Grid,
            "crop": Crop,
        }
        for key, known in choices.items():
            check_choice(getattr(self, key), get_args(known), key)
        if self.host is not None:
            check_kind(self.host, HostModel, "host", how="iopt.tiling.load_host(...).model is one")
        self._check_numbers()
        self._check_combinations()

    def _check_numbers(self) -> None:
        for key in ("memory_bytes", "bias_bytes"):
            value = getattr(self, key)
            least = 1 if key == "memory_bytes" else 0
            if value is not None and (type(value) is not int or not least <= value <= MOST_BYTES):
                raise OptionError(f"{key} is {shown(value)}; expected a whole number of bytes from {least} to 2**53")
        if self.overhead is not None and not (is_number(self.overhead) and self.overhead > 0):
            raise OptionError(f"overhead is {shown(self.overhead)}; expected a factor above zero, such as 1.1")
        if type(self.max_tiles) is not int or not 1 <= self.max_tiles <= MOST_TILES:
            raise OptionError(f"max_tiles is {shown(self.max_tiles)}; expected a whole number from 1 to {MOST_TILES}")
        if type(self.reuse) is not bool:
            raise OptionError(f"reuse is {shown(self.reuse)}; expected True or False")

    def _check_combinations(self) -> None:
        if self.overhead is not None and self.objective != "memory":
            raise OptionError(f"overhead limits the objective 'memory'; the objective is {self.objective!r}")
        if (self.predictor == "mafat") != (self.bias_bytes is not None):
            raise OptionError("bias_bytes goes with the predictor 'mafat', which needs it: it is calibrated on a host")
        if self.crop == "rim" and self.predictor in EXECUTORS:
            raise OptionError(
                f"crop 'rim' is darknet's; the predictor {self.predictor!r} is of an executor that crops; "
                "expected 'bound', 'plain11' or 'mafat'"
            )
        layers = self.layers
        for layer in layers:
            if layer.extent > MOST_EXTENT:
                raise ModelError(
                    f"graph {shown(self.graph.name)}: {layer.name}: its tensors are too large to be planned"
                )
        if self.objective == "latency" and self.host is None:
            raise OptionError("objective 'latency' needs a host model")
        if self.host is not None and len(self.host.layers) != len(layers):
            raise OptionError(f"the host model has {len(self.host.layers)} layers; the network has {len(layers)}")

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The network, in topological order."""
        return layers_of(self.graph)

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """What cuts may be between."""
        return segments_of(self.layers)

    @cached_property
    def alive(self) -> tuple[frozenset[int], ...]:
        """Per layer the maps in memory when it runs over whole maps, see `segments.alive_maps`."""
        return alive_maps(self.layers)

    @cached_property
    def macs(self) -> int:
        """Of the untiled network."""
        return sum(layer.macs for layer in self.layers)

    @cached_property
    def resident_bytes(self) -> int:
        """What is in memory all the time: weights, and MAFAT's bias."""
        return self.weights_bytes + (self.bias_bytes or 0)

    @cached_property
    def weights_bytes(self) -> int:
        """Weights that are in memory all the time."""
        return sum(layer.parameter_bytes for layer in self.layers) if self.weights == "resident" else 0

    def streamed_bytes(self, layer: Layer) -> int:
        """Weights that are in memory only while the layer runs."""
        return layer.parameter_bytes if self.weights == "streamed" else 0

    @property
    def may_reuse(self) -> bool:
        """Whether a search may keep what tiles share."""
        return self.reuse and self.crop == "exact"

    @property
    def most_macs(self) -> float:
        """Multiply-accumulates that `overhead` allows."""
        return float("inf") if self.overhead is None else self.overhead * self.macs * (1 + TOLERANCE)
