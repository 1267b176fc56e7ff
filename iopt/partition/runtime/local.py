"""The reference executor: all devices in this process, one after the other, with a counted mailbox between them."""

from __future__ import annotations

import torch

from iopt.partition.runtime.parameters import load_shard
from iopt.partition.runtime.schedule import Compute, Exchange, Schedule, Step
from iopt.partition.runtime.weights import Weights
from iopt.partition.runtime.worker import Message, Worker

Moved = dict[tuple[int, int], int]
"""Bytes by (sender, receiver)."""


class LocalRun:
    """Workers for every device of a schedule, ready to run on inputs."""

    def __init__(self, schedule: Schedule, weights: Weights, keep: bool = False, overlap: bool = False) -> None:
        """`keep`: buffers are allocated once; an output is then overwritten by the next inference. `overlap`: workers
        compute what they can before their messages come."""
        devices = range(len(schedule.devices))
        self.schedule, self._overlap = schedule, overlap
        self.workers = [
            Worker(schedule, device, load_shard(schedule, device, weights), keep=keep) for device in devices
        ]

    def __call__(self, tensor: torch.Tensor) -> tuple[torch.Tensor, list[tuple[Exchange, Moved]]]:
        """The output for an input `channels x height x width`, and every exchange that moved something, with the bytes
        that were in its messages."""
        counted: list[tuple[Exchange, Moved]] = []
        with torch.inference_mode():
            for worker in self.workers:
                worker.start(tensor if worker.device == self.schedule.source else None)
            for step, following in zip(self.schedule.steps, [*self.schedule.steps[1:], None], strict=True):
                if isinstance(step, Exchange):
                    moved = self._exchange(step, following if self._overlap else None)
                    counted.extend([(step, moved)] if moved else [])
                else:
                    for worker in self.workers:
                        worker.compute(step)
        return self.workers[self.schedule.sink].held, counted

    def _exchange(self, step: Exchange, following: Step | None) -> Moved:
        mailbox = {
            (worker.device, message.peer): message.tensor
            for worker in self.workers
            for message in worker.outgoing(step)
        }
        for worker in self.workers:
            places = worker.incoming(step)
            if isinstance(following, Compute):
                worker.compute_ahead(step, following)
            for sender, place in places:
                place.copy_(mailbox[sender, worker.device])
            worker.join(step, [Message(*place) for place in places])
        return {pair: tensor.nbytes for pair, tensor in mailbox.items()}
