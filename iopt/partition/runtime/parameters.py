"""The parameters that a device holds of an operator: slices of its weights, with batch norms folded or applied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from iopt.graph import Operator
from iopt.graph.layers import BatchNorm, Conv2d, Linear
from iopt.partition.plan import Axis, Interval
from iopt.partition.runtime.schedule import Compute, Exchange, Schedule, Share
from iopt.partition.runtime.weights import Weights


@dataclass(frozen=True)
class Parameters:
    """Of output channels `channels`: `weight` as PyTorch lays it out, of a convolution `by_kernel_rows`; `bias`
    [channels], and scale and shift of each batch norm that is not folded, [channels, features of a channel]. None:
    there is none."""

    channels: Interval
    weight: torch.Tensor | None = None
    bias: torch.Tensor | None = None
    norms: tuple[tuple[torch.Tensor, torch.Tensor], ...] = ()

    @property
    def bytes(self) -> int:
        """What the tensors keep in memory, not only what they show of it."""
        tensors = [self.weight, self.bias, *(part for norm in self.norms for part in norm)]
        return sum(tensor.untyped_storage().nbytes() for tensor in tensors if tensor is not None)

    def to(self, place: torch.device) -> Parameters:
        """The same on another device; itself where it is there."""
        if self.weight is None and not self.norms:
            return self
        weight, bias = (None if each is None else each.to(place) for each in (self.weight, self.bias))
        return replace(self, weight=weight, bias=bias, norms=tuple((a.to(place), b.to(place)) for a, b in self.norms))


def by_kernel_rows(weight: torch.Tensor) -> torch.Tensor:
    """A convolution's weight as kernel rows x output channels x input channels of a group x kernel columns."""
    return weight.permute(2, 0, 1, 3).contiguous()


def load_shard(schedule: Schedule, device: int, weights: Weights) -> dict[str, Parameters]:
    """By operator, what the device needs for its shares, and nothing else.

    Who only sums partial sums of others holds scale and shift of their operator's batch norms that are not folded.
    """
    shard: dict[str, Parameters] = {}
    for step in schedule.steps:
        if isinstance(step, Compute) and (share := step.shares[device]) is not None:
            shard[step.operator.name] = _of_share(step, share, weights)
        if isinstance(step, Exchange) and step.sums is not None and step.need[device]:
            channels = step.need[device].channels
            shard.setdefault(step.sums.name, Parameters(channels, norms=tuple(_norms(step.sums, channels, weights))))
    return shard


def _of_share(step: Compute, share: Share, weights: Weights) -> Parameters:
    operator, channels = step.operator, share.pre.channels
    norms = tuple(_norms(operator, channels, weights))
    if not isinstance(operator.body, Conv2d | Linear):
        return Parameters(channels, norms=norms)
    weight = _weight(step, share, weights)
    name = operator.body.bias
    bias = None if name is None else weights.part(name, (channels,))
    folded = next((norm for norm in operator.epilogue if isinstance(norm, BatchNorm) and norm.folded), None)
    if folded is not None:
        scale, shift = _affine(folded, channels, weights)
        weight.mul_(scale.reshape(-1, *(1,) * (weight.dim() - 1)))
        bias = shift if bias is None else bias.mul_(scale).add_(shift)
    if isinstance(operator.body, Conv2d):
        weight = by_kernel_rows(weight)
    return Parameters(channels, weight, bias, norms)


def _weight(step: Compute, share: Share, weights: Weights) -> torch.Tensor:
    body, before = step.operator.body, step.operator.input_shape
    assert isinstance(body, Conv2d | Linear)
    channels = share.pre.channels
    if isinstance(body, Conv2d):
        inputs = share.input.channels if step.split.axis is Axis.IC else (0, before.channels // body.groups)
        return weights.part(body.weight, (channels, inputs))
    if step.split.along == "rows":
        return weights.columns(body.weight, channels, before, share.input.rows)
    area = before.height * before.width
    lo, hi = share.input.channels
    return weights.part(body.weight, (channels, (lo * area, hi * area)))


def _norms(operator: Operator, channels: Interval, weights: Weights) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    for step in operator.epilogue:
        if isinstance(step, BatchNorm) and not step.folded:
            each = step.features // operator.output_shape.channels
            scale, shift = _affine(step, (channels[0] * each, channels[1] * each), weights)
            yield scale.reshape(-1, each), shift.reshape(-1, each)


def _affine(norm: BatchNorm, features: Interval, weights: Weights) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale and shift that the norm comes to: `(x - mean) / sqrt(var + eps) * weight + bias`."""
    mean, var = (weights.part(_of(norm, what), (features,)) for what in ("running_mean", "running_var"))
    scale = (var + norm.eps).rsqrt_()
    if not norm.affine:
        return scale, -mean * scale
    scale *= weights.part(_of(norm, "weight"), (features,))
    return scale, weights.part(_of(norm, "bias"), (features,)) - mean * scale


def _of(norm: BatchNorm, what: str) -> str:
    """The name in the state dict; a norm that is the whole module has no prefix."""
    return f"{norm.name}.{what}" if norm.name else what
