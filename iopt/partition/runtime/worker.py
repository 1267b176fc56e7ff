"""One device: its parameters, the part of the current tensor that it holds, and what it does in each step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch

from iopt.graph import Operator
from iopt.graph.layers import Identity
from iopt.partition.plan import Axis, Interval
from iopt.partition.runtime.boxes import Box
from iopt.partition.runtime.kernels import epilogue, pre_tensor
from iopt.partition.runtime.parameters import Parameters
from iopt.partition.runtime.schedule import Compute, Exchange, Schedule, Share, Transfer

NO_PARAMETERS = Parameters((0, 0))
MEMORY = torch.device("cpu")


class Message(NamedTuple):
    """A contiguous tensor to or from the device `peer`."""

    peer: int
    tensor: torch.Tensor


class Worker:
    """Walks through a schedule as one of its devices; whoever drives it carries the messages.

    For each exchange: `outgoing` are sent, `incoming` are filled, then `join`. For each compute step: `compute`,
    perhaps with `compute_ahead` while messages are on their way.
    Between steps it has one tensor, just the box that it holds: no view keeps more alive. What is allocated when is
    written down in `docs/partition.md`; `iopt.partition.footprint` counts it, without buffers that are kept and what is
    computed ahead.
    """

    def __init__(
        self,
        schedule: Schedule,
        device: int,
        parameters: Mapping[str, Parameters],
        place: torch.device = MEMORY,
        keep: bool = False,
    ) -> None:
        """`place`: where its tensors are; the parameters are moved there. `keep`: what is sent and received has buffers
        that are allocated once, for all inferences; the output is in one of them, too."""
        self.schedule, self.device, self.place, self._keep = schedule, device, place, keep
        self._kept: dict[tuple[int, int], torch.Tensor] = {}
        self.parameters = {name: each.to(place) for name, each in parameters.items()}
        self._held: torch.Tensor | None = None
        self._needed: torch.Tensor | None = None
        self._ahead: tuple[Interval, torch.Tensor] | None = None
        self._is_given = False

    @property
    def resident_bytes(self) -> int:
        """Parameters held."""
        return sum(each.bytes for each in self.parameters.values())

    @property
    def held(self) -> torch.Tensor:
        """What the device holds of the current tensor; at the end, on the sink, the output."""
        assert self._held is not None
        return self._held

    def start(self, tensor: torch.Tensor | None) -> None:
        """A new inference; `tensor` is the input on the source, `channels x height x width`, None elsewhere. It is
        never changed."""
        self._held, self._needed, self._is_given = None if tensor is None else tensor.to(self.place), None, True

    def outgoing(self, exchange: Exchange) -> list[Message]:
        """What to send; to be let go of before `join`."""
        held = exchange.held[self.device]
        messages = []
        for transfer in exchange.out_of(self.device):
            part = self.held[transfer.box.within(held)]
            if exchange.packs:
                part = self._empty(exchange, transfer.receiver, transfer.box).copy_(part)
            messages.append(Message(transfer.receiver, part))
        return messages

    def incoming(self, exchange: Exchange) -> list[Message]:
        """Where to put what arrives: in its place in the need, if it lies there in one piece."""
        need = exchange.need[self.device]
        if need and exchange.sums is None and not self._keeps(exchange):
            self._needed = self._empty(exchange, self.device, need)
        return [
            Message(transfer.sender, self._place(exchange, transfer, need)) for transfer in exchange.into(self.device)
        ]

    def join(self, exchange: Exchange, received: list[Message]) -> None:
        """Put own and received parts together, or add them up; what the device needs of it is then held.

        `received` is empty afterwards, so that no message outlives its use.
        """
        held, joined, need = (boxes[self.device] for boxes in (exchange.held, exchange.joined, exchange.need))
        if not need:
            self._held = None
        elif exchange.sums is not None:
            total = self._sum(held, joined, received)
            received.clear()
            self._held = None
            parameters = self.parameters.get(exchange.sums.name, NO_PARAMETERS)
            self._held = epilogue(exchange.sums, parameters, total, joined, need)
        elif not self._keeps(exchange):
            self._fill(exchange, received)
            self._held = self._needed
        received.clear()
        self._needed, self._is_given = None, False

    def compute_ahead(self, exchange: Exchange, step: Compute) -> None:
        """What of the next step needs nothing that is still to be received: call it between `incoming` and `join`."""
        share, held = step.shares[self.device], exchange.held[self.device]
        own = held.meet(exchange.need[self.device])
        if share is None or not own or step.split.axis is not Axis.H or exchange.sums is not None:
            return
        if own.channels != share.input.channels:  # it holds a part of every row
            return
        if isinstance(step.operator.body, Identity):  # it works in place, on what `join` puts together
            return
        if rows := _inside(step.operator, share, own):
            part = Share(own, Box(share.pre.channels, rows), None)
            self._ahead = rows, self._pre_tensor(step, part, self.held[own.within(held)])

    def compute(self, step: Compute) -> None:
        share = step.shares[self.device]
        if share is None:
            self._held = None
            return
        self._held = self._pre_tensor(step, share, self.held) if self._ahead is None else self._completed(step, share)
        if share.output is not None:
            parameters = self.parameters.get(step.operator.name, NO_PARAMETERS)
            self._held = epilogue(step.operator, parameters, self._held, share.pre, share.output)

    def _completed(self, step: Compute, share: Share) -> torch.Tensor:
        """The share's pre tensor, around the rows that were computed ahead."""
        assert self._ahead is not None
        ((first, last), inside), (top, bottom) = self._ahead, share.pre.rows
        self._ahead = None
        above, below = (
            [self._pre_tensor(step, Share(share.input, box, None), self.held)] if box else []
            for box in (Box(share.pre.channels, rows) for rows in ((top, first), (last, bottom)))
        )
        return torch.cat([*above, inside, *below], 1) if above or below else inside

    def _pre_tensor(self, step: Compute, share: Share, tensor: torch.Tensor) -> torch.Tensor:
        return pre_tensor(step.operator, share, self.parameters.get(step.operator.name, NO_PARAMETERS), tensor)

    def _keeps(self, exchange: Exchange) -> bool:
        """Whether the device holds just what it needs; the input of the network is the caller's."""
        return exchange.need[self.device] == exchange.held[self.device] and not self._is_given

    def _place(self, exchange: Exchange, transfer: Transfer, need: Box) -> torch.Tensor:
        if self._needed is not None and exchange.in_place:
            return self._needed[transfer.box.within(need)]
        return self._empty(exchange, -1 - transfer.sender, transfer.box)

    def _empty(self, exchange: Exchange, use: int, box: Box) -> torch.Tensor:
        """Room for a box. `use`: the receiver, this device for what it needs, or a sender as -1 - sender."""
        kept = self._kept.get((id(exchange), use))
        if kept is None:
            kept = torch.empty(*box.size, exchange.shape.width, device=self.place)
            if self._keep:
                self._kept[id(exchange), use] = kept
        return kept

    def _fill(self, exchange: Exchange, received: list[Message]) -> None:
        assert self._needed is not None
        held, need = exchange.held[self.device], exchange.need[self.device]
        if own := held.meet(need):
            self._needed[own.within(need)] = self.held[own.within(held)]
        if exchange.in_place:
            return
        boxes = {transfer.sender: transfer.box for transfer in exchange.into(self.device)}
        for sender, tensor in received:
            if wanted := boxes[sender].meet(need):
                self._needed[wanted.within(need)] = tensor[wanted.within(boxes[sender])]

    def _sum(self, held: Box, joined: Box, received: list[Message]) -> torch.Tensor:
        """In device order, so that the result does not depend on who arrives first, into the first part received: of
        the first two parts either may be added to the other."""
        parts = dict(received)
        if own := held.meet(joined):
            parts[self.device] = self.held[own.within(held)]
        if not received:
            return parts[self.device].clone()
        order = sorted(parts)
        if order[0] == self.device:
            order[:2] = order[1::-1]
        total = parts[order[0]]
        for device in order[1:]:
            total += parts[device]
        return total


def _inside(operator: Operator, share: Share, own: Box) -> Interval | None:
    """Rows of the share's pre tensor that need no input rows but these; None where there are none."""
    (first, last), (lo, hi) = share.pre.rows, own.rows
    while first < last and operator.input_rows(first, first + 1)[0] < lo:
        first += 1
    while first < last and operator.input_rows(last - 1, last)[1] > hi:
        last -= 1
    return (first, last) if first < last else None
