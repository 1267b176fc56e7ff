"""One rank of a run: the same steps as a worker of `local`, its messages over torch.distributed, counted and timed."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from torch import distributed

from iopt.errors import RunError
from iopt.partition.runtime.records import Record
from iopt.partition.runtime.schedule import Exchange, Schedule
from iopt.partition.runtime.worker import Message, Worker


class DistributedRun:
    """The rank that plays a device of the schedule, in the default process group, whose ranks are the devices."""

    def __init__(self, schedule: Schedule, worker: Worker, origin_s: float = 0.0) -> None:
        """`origin_s`: what the clocks of all ranks showed at one moment, where they are not one clock."""
        self.schedule, self.worker = schedule, worker
        self._origin_s = origin_s

    def __call__(self, tensor: torch.Tensor | None) -> Record:
        """One inference; `tensor` is the input on the source. The worker then holds what its device ends up with.

        Raises `RunError` where another rank is lost.
        """
        times: list[tuple[float, float]] = []
        sent: list[dict[int, int]] = []
        received: list[dict[int, int]] = []
        with torch.inference_mode():
            self.worker.start(tensor)
            for step in self.schedule.steps:
                began = time.perf_counter() - self._origin_s
                if isinstance(step, Exchange):
                    out, into = self._exchange(step)
                    sent.append({peer: part.nbytes for peer, part in out})
                    received.append({peer: part.nbytes for peer, part in into})
                else:
                    self.worker.compute(step)
                times.append((began, time.perf_counter() - self._origin_s))
        return Record(times, sent, received)

    def _exchange(self, step: Exchange) -> tuple[list[Message], list[Message]]:
        out, into = self.worker.outgoing(step), self.worker.incoming(step)
        if out or into:
            self._carry(step, out, into)
        self.worker.join(step, into)
        return out, into

    def _carry(self, step: Exchange, out: Sequence[Message], into: Sequence[Message]) -> None:
        messages = [*out, *into]
        calls = [distributed.isend] * len(out) + [distributed.irecv] * len(into)
        peer = messages[0].peer
        try:
            operations = [
                distributed.P2POp(call, message.tensor, message.peer)
                for call, message in zip(calls, messages, strict=True)
            ]
            works = distributed.batch_isend_irecv(operations)
            for work, (peer, _) in zip(works, messages, strict=True):  # noqa: B007 - named where one is lost
                work.wait()
        except RuntimeError as error:
            verb = "send to" if peer in {message.peer for message in out} else "receive from"
            names = self.schedule.devices
            raise RunError(
                f"device {names[self.worker.device]!r} could not {verb} {names[peer]!r} in the {phase_name(step)}"
                f"{': it waited too long' if 'timed out' in str(error).lower() else ''}"
            ) from error


def phase_name(step: Exchange) -> str:
    """`transfer into 'features.3'`, `scatter of 'classifier.1'`."""
    if step.kind in ("input", "transfer"):
        return f"{step.kind} into {step.operator!r}"
    return f"{step.kind} of {step.operator!r}"
