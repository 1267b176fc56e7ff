"""This machine plays the cluster of a plan: computing and sending are made as slow as predicted, by waiting.

Nothing is made faster: a step that takes this machine longer than the cluster takes longer. No device waits for the
slowest one by itself; whether phases take as long as the model says is for the run to show.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from iopt.cluster import Charge, Medium
from iopt.partition.plan import Axis
from iopt.partition.problem import Problem
from iopt.partition.runtime.schedule import Compute, Exchange, Transfer

SLACK_S = 1e-4
"""What a sleep may take longer than it should."""
NAP_S = 0.1
"""Longest sleep at once."""


class Emulation:
    """A device of a problem's cluster and its links; without `links` messages go as fast as they can."""

    def __init__(self, problem: Problem, device: int, links: bool = True) -> None:
        self._device, self._network, self._links = device, problem.cluster.network, links
        self._flops_per_s = problem.cluster.devices[device].flops_per_s
        self._overhead_s = problem.cluster.devices[device].overhead_s

    def compute_s(self, step: Compute) -> float:
        """Seconds that the device takes for its share."""
        share, operator = step.shares[self._device], step.operator
        if share is None:
            return 0.0
        part, whole = share.pre.size[0] * share.pre.size[1], operator.pre_shape.channels * operator.pre_shape.height
        if step.split.axis is Axis.IC:
            axis = 1 if step.split.along == "rows" else 0
            part, whole = share.input.size[axis], operator.input_shape[axis]
        return self._overhead_s + operator.flops * part / whole / self._flops_per_s

    def sending_s(self, step: Exchange) -> dict[int, float]:
        """By receiver, in time order: when the message to it is through, in seconds from the start of the exchange.

        Messages pass the device's own link one after the other, and each no faster than its receiver's link.
        """
        if not self._links or self._network.medium is Medium.SHARED:
            return {transfer.receiver: self.exchange_s(step) for transfer in step.out_of(self._device)}
        through, ready = {}, 0.0
        for transfer in step.out_of(self._device):
            count = step.bytes_of(transfer)
            ready += count / self._network.up_bytes_per_s[self._device]
            slowest = max(ready, count / self._network.down_bytes_per_s[transfer.receiver])
            through[transfer.receiver] = self._connecting_s(step) + slowest
        return dict(sorted(through.items(), key=lambda item: item[1]))

    def exchange_s(self, step: Exchange) -> float:
        """Least seconds of an exchange on this device: until its link has carried what it sends and receives."""
        network = self._network
        if not self._links:
            return 0.0
        if network.medium is Medium.SHARED:
            assert network.bandwidth_bytes_per_s is not None
            return self._connecting_s(step) + _bytes(step, step.transfers) / network.bandwidth_bytes_per_s
        sent = _bytes(step, step.out_of(self._device)) / network.up_bytes_per_s[self._device]
        received = _bytes(step, step.into(self._device)) / network.down_bytes_per_s[self._device]
        return self._connecting_s(step) + max(sent, received)

    def _connecting_s(self, step: Exchange) -> float:
        peers = {transfer.receiver for transfer in step.out_of(self._device)}
        peers |= {transfer.sender for transfer in step.into(self._device)}
        count = len(peers) if self._network.charge is Charge.PEER else min(len(peers), 1)
        return count * self._network.connection_s


def _bytes(step: Exchange, transfers: Iterable[Transfer]) -> int:
    return sum(map(step.bytes_of, transfers))


def wait_until(moment_s: float, on_nap: Callable[[], None] = lambda: None) -> None:
    """Sleep until `time.perf_counter` shows that moment, to within some ten microseconds; at once if it has passed.

    `on_nap` is called at least every tenth of a second: a device that is slow on purpose does not hang.
    """
    while (left := moment_s - time.perf_counter()) > 0:
        on_nap()
        time.sleep(min(left - SLACK_S, NAP_S) if left > SLACK_S else 0)
