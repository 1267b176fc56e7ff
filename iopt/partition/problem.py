"""What is given: a network, a cluster, and the conventions under which plans are judged."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, get_args

from iopt.cluster import Cluster
from iopt.door.given import check_kind
from iopt.door.wording import shown
from iopt.errors import ClusterError, ModelError, OptionError
from iopt.graph import Graph, Operator
from iopt.graph.layers import Conv2d, Linear, Pool
from iopt.partition.plan import Axis

MemoryModel = Literal["live", "runtime", "paper"]
Relayout = Literal["concatenation"]


class Mode(NamedTuple):
    """A way to split an operator: `size` channels or rows to share out, in multiples of `unit`."""

    axis: Axis
    along: Literal["rows"] | None
    size: int
    unit: int = 1


@dataclass(frozen=True)
class Problem:
    """Partition `graph` over `cluster` at least latency.

    `along_rows`: whether a linear operator after a flatten may be split along the rows of the tensor before it.
    `memory`: `live` (resident parameters + the largest need box and pre box of one operator), `runtime` (the most that
    the executor has at once, by the byte) or `paper` (parameters + the largest share of a pre tensor written).
    `relayout`: what moves where the axes before and after a transfer do not match; under `concatenation` everybody who
    needs anything receives all of the tensor, and every bound assumes it.
    Raises `OptionError` for an option that makes no sense, `ModelError` for a network with branches or exits, or where
    a convolution has positions that read padding alone (the boxes of a split have no place for them), `ClusterError`
    for a cluster with links of their own.
    """

    graph: Graph
    cluster: Cluster
    along_rows: bool = True
    memory: MemoryModel = "live"
    relayout: Relayout = "concatenation"

    def __post_init__(self) -> None:
        check_kind(self.graph, Graph, "graph", "iopt.load")
        check_kind(self.cluster, Cluster, "cluster", "iopt.Cluster.load")
        if type(self.along_rows) is not bool:
            raise OptionError(f"along_rows is {shown(self.along_rows)}; expected True or False")
        for key, value, known in (
            ("memory", self.memory, get_args(MemoryModel)),
            ("relayout", self.relayout, get_args(Relayout)),
        ):
            if value not in known:
                raise OptionError(f"{key} is {value!r}; expected {' or '.join(map(repr, known))}")
        if self.graph.exits:
            raise ModelError(
                f"{self.graph.name} has {len(self.graph.exits)} exits; a partition is of networks with one output "
                "(`iopt exits plan` places networks with exits)"
            )
        if not self.graph.is_chain:
            raise ModelError(
                f"{self.graph.name} has branches ({_first_branch(self.graph)}); only chains can be planned so far"
            )
        for operator in self.graph:
            if isinstance(operator.body, Conv2d) and operator.body.window.may_read_nothing:
                raise ModelError(
                    f"operator {operator.name!r}: padding is {operator.body.window.padding}; a partition is of "
                    "convolutions whose padding is less than their reach, so that no output is of padding alone"
                )
        if self.cluster.network.links:
            raise ClusterError(
                f"cluster {self.cluster.name!r}: network.links: expected none, since partition plans assume a link "
                f"between every two devices, at their up and down rates; got {len(self.cluster.network.links)}"
            )

    @property
    def operators(self) -> tuple[Operator, ...]:
        return self.graph.operators

    @cached_property
    def modes(self) -> tuple[tuple[Mode, ...], ...]:
        """The modes that each operator may take."""
        return tuple(tuple(_modes(operator, self.along_rows)) for operator in self.operators)


def _modes(operator: Operator, along_rows: bool) -> list[Mode]:
    before, after = operator.input_shape, operator.output_shape
    modes = []
    is_global_pool = isinstance(operator.body, Pool) and after.height == after.width == 1
    if not isinstance(operator.body, Linear) and not is_global_pool:
        modes.append(Mode(Axis.H, None, after.height))
    modes.append(Mode(Axis.OC, None, after.channels, after.channels // operator.groups if operator.groups > 1 else 1))
    if isinstance(operator.body, Conv2d | Linear) and operator.groups == 1:
        modes.append(Mode(Axis.IC, None, before.channels))
    if isinstance(operator.body, Linear) and along_rows and before.height > 1:
        modes.append(Mode(Axis.IC, "rows", before.height))
    return modes


def _first_branch(graph: Graph) -> str:
    names = ["input", *(operator.name for operator in graph)]
    for before, operator in zip(names, graph, strict=False):
        if operator.inputs != (before,):
            return f"{operator.name!r} reads {' and '.join(operator.inputs)}"
    return ""
