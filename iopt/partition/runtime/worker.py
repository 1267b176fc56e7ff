"""One device: its parameters, the part of the current tensor that it holds, and what it does in each step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch

from iopt.graph import Operator
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
        self._joined: torch.Tensor | None = None
        self._ahead: tuple[Interval, torch.Tensor] | None = None

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
        """A new inference; `tensor` is the input on the source, `channels x height x width`, None elsewhere."""
        self._held, self._joined = None if tensor is None else tensor.to(self.place), None

    def outgoing(self, exchange: Exchange) -> list[Message]:
        held = exchange.held[self.device]
        return [
            Message(transfer.receiver, self._whole(exchange, transfer, self.held[transfer.box.within(held)]))
            for transfer in exchange.out_of(self.device)
        ]

    def incoming(self, exchange: Exchange) -> list[Message]:
        """Where to put what arrives; parts that lie in one piece in the joined tensor are received in place."""
        joined = exchange.joined[self.device]
        self._joined = None
        if exchange.sums is None and joined and joined.meet(exchange.held[self.device]) != joined:
            self._joined = self._empty(exchange, self.device, joined)
        return [
            Message(transfer.sender, self._place(exchange, transfer, joined)) for transfer in exchange.into(self.device)
        ]

    def join(self, exchange: Exchange, received: list[Message]) -> None:
        """Put own and received parts together, or add them up; what the device needs of it is then held."""
        device = self.device
        held, joined, need = exchange.held[device], exchange.joined[device], exchange.need[device]
        if not need:
            self._held = None
        elif exchange.sums is not None:
            total = self._sum(held, joined, received)
            parameters = self.parameters.get(exchange.sums.name, NO_PARAMETERS)
            self._held = epilogue(exchange.sums, parameters, total, joined, need)
        elif self._joined is None:
            self._held = self.held[need.within(held)]
        else:
            self._fill(exchange, received)
            self._held = self._joined[need.within(joined)]
        self._joined = None

    def compute_ahead(self, exchange: Exchange, step: Compute) -> None:
        """What of the next step needs nothing that is still to be received: call it between `outgoing` and `join`."""
        share, held = step.shares[self.device], exchange.held[self.device]
        own = held.meet(exchange.need[self.device])
        if share is None or not own or step.split.axis is not Axis.H or exchange.sums is not None:
            return
        if own.channels != share.input.channels:  # it holds a part of every row
            return
        if rows := _inside(step.operator, share, own):
            part = Share(own, Box(share.pre.channels, rows), None)
            self._ahead = rows, self._pre_tensor(step, part, self.held[own.within(held)])

    def compute(self, step: Compute) -> None:
        share, ahead = step.shares[self.device], self._ahead
        self._ahead = None
        if share is None:
            self._held = None
            return
        if ahead is None:
            pre = self._pre_tensor(step, share, self.held)
        else:
            (first, last), (top, bottom), inside = ahead[0], share.pre.rows, ahead[1]
            boxes = [Box(share.pre.channels, rows) for rows in ((top, first), (last, bottom))]
            above, below = (
                [self._pre_tensor(step, Share(share.input, box, None), self.held)] if box else [] for box in boxes
            )
            pre = torch.cat([*above, inside, *below], 1) if above or below else inside
        self._held = pre
        if share.output is not None:
            parameters = self.parameters.get(step.operator.name, NO_PARAMETERS)
            self._held = epilogue(step.operator, parameters, pre, share.pre, share.output)

    def _pre_tensor(self, step: Compute, share: Share, tensor: torch.Tensor) -> torch.Tensor:
        return pre_tensor(step.operator, share, self.parameters.get(step.operator.name, NO_PARAMETERS), tensor)

    def _whole(self, exchange: Exchange, transfer: Transfer, part: torch.Tensor) -> torch.Tensor:
        """The part in one piece."""
        if part.is_contiguous():
            return part
        return self._empty(exchange, transfer.receiver, transfer.box).copy_(part)

    def _place(self, exchange: Exchange, transfer: Transfer, joined: Box) -> torch.Tensor:
        if self._joined is not None:
            place = self._joined[transfer.box.within(joined)]
            if place.is_contiguous():
                return place
        return self._empty(exchange, -1 - transfer.sender, transfer.box)

    def _empty(self, exchange: Exchange, use: int, box: Box) -> torch.Tensor:
        """Room for a box. `use`: the receiver, this device for what is joined, or a sender as -1 - sender."""
        kept = self._kept.get((id(exchange), use))
        if kept is None:
            kept = torch.empty(*box.size, exchange.shape.width, device=self.place)
            if self._keep:
                self._kept[id(exchange), use] = kept
        return kept

    def _fill(self, exchange: Exchange, received: list[Message]) -> None:
        assert self._joined is not None
        held, joined = exchange.held[self.device], exchange.joined[self.device]
        if own := held.meet(joined):
            self._joined[own.within(joined)] = self.held[own.within(held)]
        boxes = {transfer.sender: transfer.box for transfer in exchange.into(self.device)}
        for sender, tensor in received:
            place = self._joined[boxes[sender].within(joined)]
            if place.data_ptr() != tensor.data_ptr():
                place.copy_(tensor)

    def _sum(self, held: Box, joined: Box, received: list[Message]) -> torch.Tensor:
        """In device order, so that the result does not depend on who arrives first."""
        parts = dict(received)
        if own := held.meet(joined):
            parts[self.device] = self.held[own.within(held)]
        first, *others = (parts[device] for device in sorted(parts))
        if not others:
            return first
        total = first + others[0]
        for other in others[1:]:
            total += other
        return total


def _inside(operator: Operator, share: Share, own: Box) -> Interval | None:
    """Rows of the share's pre tensor that need no input rows but these; None where there are none."""
    (first, last), (lo, hi) = share.pre.rows, own.rows
    while first < last and operator.input_rows(first, first + 1)[0] < lo:
        first += 1
    while first < last and operator.input_rows(last - 1, last)[1] > hi:
        last -= 1
    return (first, last) if first < last else None
