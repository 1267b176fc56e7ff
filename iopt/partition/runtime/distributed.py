"""One rank of a run: the same steps as a worker of `local`, its messages over torch.distributed, counted and timed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import distributed

from iopt.errors import RunError
from iopt.partition.runtime.emulation import Emulation, wait_until
from iopt.partition.runtime.placement import Placement
from iopt.partition.runtime.pulse import Pulse
from iopt.partition.runtime.records import Record
from iopt.partition.runtime.schedule import Compute, Exchange, Schedule, step_name
from iopt.partition.runtime.worker import Message, Worker

SEND, RECEIVE, EXCHANGE = "send to", "receive from", "exchange with"


class DistributedRun:
    """The rank that plays a device of the schedule, in the default process group, whose ranks are the devices."""

    def __init__(
        self,
        schedule: Schedule,
        worker: Worker,
        emulation: Emulation | None = None,
        pulse: Pulse | None = None,
        group: Any = None,
        overlap: bool = False,
    ) -> None:
        """`emulation`: as slow as that device; None: as fast as this machine. `pulse` is told each step as it begins,
        and every wait. `group`: of the messages, NCCL's where the worker's tensors are on a GPU; None: the default one.
        `overlap`: while messages are on their way, compute what needs none of them; its time is in that of the
        exchange."""
        self._overlap = overlap
        self._group, self._settle = group, Placement(worker.place, group).settle
        self.schedule, self.worker = schedule, worker
        self._names = [step_name(step) for step in schedule.steps]
        self._emulation, self._pulse = emulation, pulse or Pulse()

    def __call__(self, tensor: torch.Tensor | None, origin_s: float = 0.0) -> Record:
        """One inference; `tensor` is the input on the source. The worker then holds what its device ends up with.

        `origin_s`: what the clocks of all ranks showed at one moment, where they are not one clock. Raises `RunError`
        where another rank is lost.
        """
        times: list[tuple[float, float]] = []
        sent: list[dict[int, int]] = []
        received: list[dict[int, int]] = []
        with torch.inference_mode():
            self.worker.start(tensor)
            for number, step in enumerate(self.schedule.steps):
                self._pulse.begin(self._names[number])
                began = time.perf_counter() - origin_s
                if isinstance(step, Exchange):
                    moved = self._exchange(step, number)
                    sent.append(moved[0])
                    received.append(moved[1])
                else:
                    self._compute(step)
                times.append((began, time.perf_counter() - origin_s))
        return Record(times, sent, received)

    def _compute(self, step: Compute) -> None:
        began = time.perf_counter()
        self.worker.compute(step)
        self._settle()
        if self._emulation is not None:
            wait_until(began + self._emulation.compute_s(step), self._pulse.beat)

    def _exchange(self, step: Exchange, number: int) -> tuple[dict[int, int], dict[int, int]]:
        """Bytes sent and received, by peer."""
        out, into = self.worker.outgoing(step), self.worker.incoming(step)
        sent, received = ({peer: part.nbytes for peer, part in messages} for messages in (out, into))
        if out or into:
            following = next(iter(self.schedule.steps[number + 1 :]), None) if self._overlap and into else None
            self._carry(step, out, into, following if isinstance(following, Compute) else None)
        del out
        self.worker.join(step, into)
        return sent, received

    def _carry(
        self, step: Exchange, out: Sequence[Message], into: Sequence[Message], following: Compute | None = None
    ) -> None:
        began = time.perf_counter()
        works = self._begun(step, out, into, began)
        if following is not None:
            self.worker.compute_ahead(step, following)
        for peer, verb, work in works:
            waits = f"waits to {verb} {self.schedule.devices[peer]!r} in the {step_name(step)}"
            with self._naming(step, peer, verb), self._pulse.waiting(waits):
                assert work is not None
                work.wait()
        self._settle()
        if self._emulation is not None:
            wait_until(began + self._emulation.exchange_s(step), self._pulse.beat)

    def _begun(
        self, step: Exchange, out: Sequence[Message], into: Sequence[Message], began: float
    ) -> list[tuple[int, str, distributed.Work | None]]:
        """Messages on their way. NCCL needs all of a phase at once, or they wait for each other."""
        if self.worker.place.type == "cuda":
            wanted = [distributed.P2POp(distributed.irecv, tensor, peer, self._group) for peer, tensor in into]
            wanted += [distributed.P2POp(distributed.isend, tensor, peer, self._group) for peer, tensor in out]
            peer = [*into, *out][0].peer
            with self._naming(step, peer, EXCHANGE):
                return [(peer, EXCHANGE, work) for work in distributed.batch_isend_irecv(wanted)]
        works = []
        for peer, tensor in into:
            with self._naming(step, peer, RECEIVE):
                works.append((peer, RECEIVE, distributed.irecv(tensor, peer)))
        for peer, tensor in self._paced(step, out, began):
            with self._naming(step, peer, SEND):
                works.append((peer, SEND, distributed.isend(tensor, peer)))
        return works

    @contextmanager
    def _naming(self, step: Exchange, peer: int, verb: str) -> Iterator[None]:
        """Raise `RunError` with the peer, and what for, where torch says that one is lost."""
        try:
            yield
        except RuntimeError as error:
            names = self.schedule.devices
            raise RunError(
                f"device {names[self.worker.device]!r} could not {verb} {names[peer]!r} in the {step_name(step)}"
            ) from error

    def _paced(self, step: Exchange, out: Sequence[Message], began: float) -> Iterator[Message]:
        """Messages, each when it may go: at once, or when the emulated link would have carried it."""
        if self._emulation is None:
            yield from out
            return
        tensors = dict(out)
        for peer, after in self._emulation.sending_s(step).items():
            wait_until(began + after, self._pulse.beat)
            yield Message(peer, tensors[peer])
