"""A graph with exits as a backbone of blocks with exits on it.

The backbone is all that the last exit depends on. A cut is a place where one tensor crosses from the operators before
to those after: every way from the input to the last exit passes the operator that writes it. Blocks are what lies
between cuts, so a residual sum is inside a block with its shortcut. An exit's branch hangs on the tensor of one cut;
what the branch itself computes is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from iopt.door.wording import shown
from iopt.errors import ModelError, OptionError
from iopt.exits.network import Block, Exit, ExitNetwork
from iopt.graph import INPUT, Graph
from iopt.graph.layers import ELEMENT_BYTES

Granularity = Literal["operator", "exit"]
ELEMENT_BITS = 8 * ELEMENT_BYTES


@dataclass(frozen=True)
class ExitSite:
    """An exit after block `after` (counted from 1); `operators`: its branch, which may be empty."""

    name: str
    after: int
    operators: tuple[str, ...]


@dataclass(frozen=True)
class Backbone:
    """`operators[i]`: names of the operators of `blocks[i]`, the last of them writes what the block passes on."""

    blocks: tuple[Block, ...]
    operators: tuple[tuple[str, ...], ...]
    exits: tuple[ExitSite, ...]
    input_bits: int

    def network(self, name: str, fractions: Sequence[float], accuracies: Sequence[float]) -> ExitNetwork:
        """The network whose exits were measured; one fraction and one accuracy per exit."""
        measured = zip(self.exits, fractions, accuracies, strict=True)
        exits = tuple(Exit(site.name, site.after, fraction, accuracy) for site, fraction, accuracy in measured)
        return ExitNetwork(name, self.input_bits, self.blocks, exits)


def backbone(graph: Graph, granularity: Granularity = "operator") -> Backbone:
    """Blocks and exits of a graph.

    `granularity`: `operator`, a block between any two neighbouring cuts, or `exit`, one block up to every exit.
    Raises `ModelError` for a graph with one output, and where a branch hangs on anything but the tensor of one cut.
    """
    if granularity not in get_args(Granularity):
        expected = " or ".join(map(repr, get_args(Granularity)))
        raise OptionError(f"granularity is {shown(granularity)}; expected {expected}")
    if not graph.exits:
        raise ModelError(f"{graph.name} has one output; expected a network that returns one output per exit")
    trunk = _ancestors(graph, graph.exits[-1][1])
    found = _cuts(graph, trunk)
    cuts, branches = [*found, graph.exits[-1][1]], []
    for name, operator in graph.exits[:-1]:
        branches.append(_branch(graph, name, operator, trunk, found))
    _check_order(graph, [site for site, _ in branches], cuts)
    _check_depth(graph, branches, [operator.name for operator in graph if operator.name in trunk])
    kept = cuts if granularity == "operator" else [*(site for site, _ in branches), cuts[-1]]
    segments = _segments([operator.name for operator in graph if operator.name in trunk], kept)
    sites = [ExitSite(graph.exits[at][0], kept.index(cut) + 1, names) for at, (cut, names) in enumerate(branches)]
    last = ExitSite(graph.exits[-1][0], len(kept), ())
    blocks = tuple(_block(graph, names, last=names is segments[-1]) for names in segments)
    return Backbone(blocks, tuple(segments), (*sites, last), graph.input_shape.elements * ELEMENT_BITS)


def _ancestors(graph: Graph, name: str) -> set[str]:
    """The operator and all operators that it depends on."""
    found, waiting = {name}, [name]
    while waiting:
        fresh = [source for source in graph.operator(waiting.pop()).inputs if source != INPUT and source not in found]
        found.update(fresh)
        waiting.extend(fresh)
    return found


def _cuts(graph: Graph, trunk: set[str]) -> list[str]:
    """Operators of the trunk after which exactly one tensor, their own, is read by the trunk."""
    order = [operator for operator in graph if operator.name in trunk]
    last_read = {source: at for at, operator in enumerate(order) for source in operator.inputs}
    cuts, crossing = [], {INPUT}
    for at, operator in enumerate(order):
        crossing.add(operator.name)
        crossing = {name for name in crossing if last_read.get(name, -1) > at}
        if crossing == {operator.name}:
            cuts.append(operator.name)
    return cuts


def _branch(graph: Graph, name: str, operator: str, trunk: set[str], cuts: list[str]) -> tuple[str, tuple[str, ...]]:
    """The cut that an exit hangs on, and the operators of its branch."""
    members = _ancestors(graph, operator) - trunk
    names = tuple(member.name for member in graph if member.name in members)
    reads = {source for member in names for source in graph.operator(member).inputs} - members or {operator}
    where = f"{graph.name}: exit {name!r}"
    if len(reads) > 1:
        raise ModelError(f"{where} reads {' and '.join(sorted(reads))}; expected one tensor of the network's main path")
    (cut,) = reads
    if cut in (INPUT, graph.exits[-1][1]):
        what = "the input" if cut == INPUT else "the last exit"
        raise ModelError(f"{where} hangs on {what}; expected a tensor of the main path between the two")
    if cut not in cuts:
        raise ModelError(
            f"{where} hangs on {cut}, which other tensors bypass (a shortcut or a parallel branch); expected a tensor "
            "that every way to the last exit passes"
        )
    return cut, names


def _check_order(graph: Graph, sites: list[str], cuts: list[str]) -> None:
    for index in range(1, len(sites)):
        if cuts.index(sites[index]) <= cuts.index(sites[index - 1]):
            before, name = graph.exits[index - 1][0], graph.exits[index][0]
            raise ModelError(
                f"{graph.name}: exit {name!r} hangs on {sites[index]} and exit {before!r} on {sites[index - 1]}; "
                "expected exits in order of depth, each after some operators of its own"
            )


def _check_depth(graph: Graph, branches: Sequence[tuple[str, tuple[str, ...]]], order: list[str]) -> None:
    """A branch counts as nothing: one with more work in it than the rest of the main path is taken for the deeper."""
    last = graph.exits[-1][0]
    for (name, _), (cut, members) in zip(graph.exits, branches, strict=False):
        own, rest = _flops(graph, members), _flops(graph, order[order.index(cut) + 1 :])
        if own > rest:
            raise ModelError(
                f"{graph.name}: after {cut}, exit {name!r} does more ({own:,} FLOP) than {last!r}, the last one "
                f"({rest:,} FLOP); expected exits in order of depth"
            )


def _flops(graph: Graph, names: Sequence[str]) -> int:
    return sum(graph.operator(name).flops for name in names)


def _segments(order: list[str], cuts: list[str]) -> list[tuple[str, ...]]:
    """The trunk, split after each cut."""
    ends = [order.index(cut) + 1 for cut in cuts]
    return [tuple(order[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


def _block(graph: Graph, names: tuple[str, ...], last: bool) -> Block:
    operators = [graph.operator(name) for name in names]
    return Block(
        name=names[0] if len(names) == 1 else f"{names[0]}..{names[-1]}",
        ops=_flops(graph, names),
        out_bits=0 if last else operators[-1].output_shape.elements * ELEMENT_BITS,
        weight_bytes=sum(operator.parameters for operator in operators) * ELEMENT_BYTES,
    )
