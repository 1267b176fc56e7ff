"""What `plan` and `compare` are given, as a problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iopt.cli.options import Memory

if TYPE_CHECKING:
    from iopt.door.units import Kind
    from iopt.graph import Graph
    from iopt.partition.problem import Problem


@dataclass(frozen=True)
class Given:
    """The options as they were typed."""

    model: str
    cluster: str
    input: str | None
    memory: Memory
    tight: bool
    along_rows: bool
    trust: bool

    def problem(self) -> Problem:
        """Read the cluster, then the network, which takes longer. Raises `IoptError`."""
        from iopt.cluster import Cluster
        from iopt.partition.caps import tight_caps
        from iopt.partition.problem import Problem

        cluster = Cluster.load(self.cluster)
        graph = read_graph(self.model, self.input, self.trust)
        if self.tight:
            cluster = cluster.with_memory((tight_caps(graph, len(cluster), self.memory.value),) * len(cluster))
        return Problem(graph, cluster, self.along_rows, self.memory.value)


def read_graph(model: str, input_shape: str | None, trust: bool) -> Graph:
    """The network that `MODEL`, `--input` and `--trust` name. Raises `IoptError`."""
    from iopt.model import load, parse_shape

    return load(model, None if input_shape is None else parse_shape(input_shape), trust)


def quantity(option: str, text: str, kind: Kind) -> float:
    """What was typed, in the unit of its kind. Raises `OptionError` that names the option."""
    from iopt.door.units import within
    from iopt.errors import OptionError

    try:
        return float(within(text, kind))
    except ValueError as error:
        raise OptionError(f"{option}: {error}") from None
