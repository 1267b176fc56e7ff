"""One device: its parameters, the part of the current tensor that it holds, and what it does in each step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch

from iopt.partition.runtime.boxes import Box
from iopt.partition.runtime.kernels import epilogue, pre_tensor
from iopt.partition.runtime.parameters import Parameters
from iopt.partition.runtime.schedule import Compute, Exchange, Schedule

NO_PARAMETERS = Parameters((0, 0))


class Message(NamedTuple):
    """A contiguous tensor to or from the device `peer`."""

    peer: int
    tensor: torch.Tensor


class Worker:
    """Walks through a schedule as one of its devices; whoever drives it carries the messages.

    For each exchange: `outgoing` are sent, `incoming` are filled, then `join`. For each compute step: `compute`.
    Between steps it has one tensor, just the box that it holds: no view keeps more alive. What is allocated when is
    written down in `docs/partition.md`; `iopt.partition.footprint` counts it.
    """

    def __init__(self, schedule: Schedule, device: int, parameters: Mapping[str, Parameters]) -> None:
        self.schedule, self.device, self.parameters = schedule, device, parameters
        self._held: torch.Tensor | None = None
        self._needed: torch.Tensor | None = None
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
        self._held, self._needed, self._is_given = tensor, None, True

    def outgoing(self, exchange: Exchange) -> list[Message]:
        """What to send; to be let go of before `join`."""
        held = exchange.held[self.device]
        messages = []
        for transfer in exchange.out_of(self.device):
            part = self.held[transfer.box.within(held)]
            if exchange.packs:
                part = part.clone(memory_format=torch.contiguous_format)
            messages.append(Message(transfer.receiver, part))
        return messages

    def incoming(self, exchange: Exchange) -> list[Message]:
        """Where to put what arrives: in its place in the need, if it lies there in one piece."""
        need = exchange.need[self.device]
        if need and exchange.sums is None and not self._keeps(exchange):
            self._needed = self._empty(need, exchange)
        return [
            Message(transfer.sender, self._place(transfer.box, need, exchange))
            for transfer in exchange.into(self.device)
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

    def compute(self, step: Compute) -> None:
        share = step.shares[self.device]
        if share is None:
            self._held = None
            return
        parameters = self.parameters.get(step.operator.name, NO_PARAMETERS)
        self._held = pre_tensor(step.operator, share, parameters, self.held)
        if share.output is not None:
            self._held = epilogue(step.operator, parameters, self._held, share.pre, share.output)

    def _keeps(self, exchange: Exchange) -> bool:
        """Whether the device holds just what it needs; the input of the network is the caller's."""
        return exchange.need[self.device] == exchange.held[self.device] and not self._is_given

    def _place(self, box: Box, need: Box, exchange: Exchange) -> torch.Tensor:
        if self._needed is not None and exchange.in_place:
            return self._needed[box.within(need)]
        return self._empty(box, exchange)

    def _empty(self, box: Box, exchange: Exchange) -> torch.Tensor:
        return torch.empty(*box.size, exchange.shape.width)

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
