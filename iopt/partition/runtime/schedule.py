"""A plan as what devices do one after the other: exchanges of boxes, and shares of operators to compute.

Who holds and who needs what is worked out here from the plan and the windows of the operators alone, so that bytes
moved can be held against what the evaluator predicts. The rules are those of `docs/partition.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from iopt.graph import Graph, Operator
from iopt.graph.layers import ELEMENT_BYTES, Shape
from iopt.partition.decisions import check
from iopt.partition.evaluation import PhaseKind
from iopt.partition.geometry import Geometry
from iopt.partition.plan import Axis, Plan, Scatter, Split
from iopt.partition.problem import Problem
from iopt.partition.runtime.boxes import NOTHING, Box
from iopt.partition.runtime.layouts import Layout, channels_of, leaves, needs, on_one, rows_of
from iopt.partition.transfer import CHANNELS, PARTIAL, ROWS, WHOLE


@dataclass(frozen=True)
class Transfer:
    """`box` of the tensor that is exchanged goes from device `sender` to device `receiver`."""

    sender: int
    receiver: int
    box: Box


@dataclass(frozen=True)
class Exchange:
    """A tensor of `shape`, held as boxes, is put together as other boxes, of which each device then takes its need.

    `operator` and `kind` name the phase as the evaluator does. `sums`: the boxes are of partial sums of this operator's
    pre tensor; their sums pass its epilogue and become the need. `packs`: messages are rows of a larger tensor, which
    do not lie in one piece, and are copied to be sent. `in_place`: what arrives lies in one piece in the need.
    """

    operator: str
    kind: PhaseKind
    shape: Shape
    held: tuple[Box, ...]
    joined: tuple[Box, ...]
    need: tuple[Box, ...]
    transfers: tuple[Transfer, ...]
    packs: bool
    in_place: bool
    sums: Operator | None = None

    def bytes_of(self, transfer: Transfer) -> int:
        channels, rows = transfer.box.size
        return channels * rows * self.shape.width * ELEMENT_BYTES

    def into(self, device: int) -> tuple[Transfer, ...]:
        return tuple(transfer for transfer in self.transfers if transfer.receiver == device)

    def out_of(self, device: int) -> tuple[Transfer, ...]:
        return tuple(transfer for transfer in self.transfers if transfer.sender == device)


@dataclass(frozen=True)
class Share:
    """One device's part of an operator: from the box `input` to the box `pre`, and through the epilogue to `output`.

    `output` is None for partial sums. `adds_bias`: of those who hold partial sums, one adds the bias to its own.
    """

    input: Box
    pre: Box
    output: Box | None
    adds_bias: bool = True


@dataclass(frozen=True)
class Compute:
    """Every device's share of an operator, None where it takes no part."""

    operator: Operator
    split: Split
    shares: tuple[Share | None, ...]


Step = Exchange | Compute


def step_name(step: Step) -> str:
    """`transfer into 'features.3'`, `scatter of 'classifier.1'`, `compute of 'classifier.1'`."""
    if isinstance(step, Compute):
        return f"compute of {step.operator.name!r}"
    direction = "into" if step.kind in ("input", "transfer") else "of"
    return f"{step.kind} {direction} {step.operator!r}"


@dataclass(frozen=True)
class Schedule:
    """Steps in time order. `source` holds the input, `sink` ends up with the output."""

    graph: Graph
    devices: tuple[str, ...]
    source: int
    sink: int
    steps: tuple[Step, ...]


def schedule(problem: Problem, plan: Plan) -> Schedule:
    """What each device does. Raises `PlanError` for a plan that does not fit the problem."""
    check(problem, Geometry.of(problem), plan)
    cluster = problem.cluster
    names = tuple(device.name for device in cluster.devices)
    return Schedule(problem.graph, names, cluster.source, cluster.sink, tuple(_steps(problem, plan)))


def _steps(problem: Problem, plan: Plan) -> Iterator[Step]:
    devices, source = len(problem.cluster), problem.cluster.source
    shape = problem.graph.input_shape
    held, producer = on_one(source, shape, devices), None
    for operator, split in zip(problem.operators, plan.splits, strict=True):
        kind: PhaseKind = "input" if producer is None else "transfer"
        need = needs(operator, split)
        yield _exchange(operator.name, kind, shape, held, need, producer)
        yield Compute(operator, split, tuple(_shares(operator, split, need)))
        held, producer, shape = leaves(operator, split), operator, operator.output_shape
        if isinstance(split.combine, Scatter):
            wanted = Layout(CHANNELS, tuple(channels_of(shape, part) for part in split.combine.intervals))
            yield _exchange(operator.name, "scatter", shape, held, wanted, operator)
            held = wanted
        if split.via == "source":
            wanted = on_one(source, shape, devices)
            yield _exchange(operator.name, "gather", shape, held, wanted, operator)
            held = wanted
    assert producer is not None
    yield _exchange(producer.name, "output", shape, held, on_one(problem.cluster.sink, shape, devices), producer)


def _shares(operator: Operator, split: Split, need: Layout) -> Iterator[Share | None]:
    is_first = True
    for part, before in zip(split.intervals, need.boxes, strict=True):
        if part[1] <= part[0]:
            yield None
        elif split.axis is Axis.IC:
            yield Share(before, Box.all_of(operator.pre_shape), None, is_first)
            is_first = False
        elif split.axis is Axis.H:
            yield Share(
                before, rows_of(operator.pre_shape, operator.pre_rows(*part)), rows_of(operator.output_shape, part)
            )
        else:
            yield Share(before, channels_of(operator.pre_shape, part), channels_of(operator.output_shape, part))


def _exchange(
    operator: str, kind: PhaseKind, shape: Shape, held: Layout, need: Layout, producer: Operator | None
) -> Exchange:
    if held.kind == PARTIAL:
        assert producer is not None
        by_rows = need.kind == ROWS
        joined = tuple(_summed(producer, box, by_rows) for box in need.boxes)
        shape = producer.pre_shape
    else:
        joined = need.boxes
        producer = None
        if held.kind not in (WHOLE, need.kind):
            joined = tuple(Box.all_of(shape) if box else NOTHING for box in need.boxes)
    transfers = tuple(_transfers(held.boxes, joined))
    packs = need.kind == ROWS and held.kind != CHANNELS
    in_place = held.kind == WHOLE or (held.kind == CHANNELS and need.kind != ROWS)
    return Exchange(operator, kind, shape, held.boxes, joined, need.boxes, transfers, packs, in_place, producer)


def _summed(producer: Operator, box: Box, by_rows: bool) -> Box:
    """Of partial sums: the rows under the need, or all rows of the channels needed."""
    if not box or not by_rows:
        return Box(box.channels, (0, producer.pre_shape.height)) if box else NOTHING
    return Box(box.channels, producer.pre_rows(*box.rows))


def _transfers(held: Sequence[Box], joined: Sequence[Box]) -> Iterator[Transfer]:
    for sender, mine in enumerate(held):
        for receiver, wanted in enumerate(joined):
            if sender != receiver and (box := mine.meet(wanted)):
                yield Transfer(sender, receiver, box)
