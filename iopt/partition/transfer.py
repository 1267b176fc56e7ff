"""Who sends how many bytes to whom in a phase, and how long the phase takes.

One rule serves every phase. What a device *holds* of a tensor meets what a device *needs* of it:
the transfer into an operator, the reduce-scatter of partial sums (holds partial sums, needs channels), the gather of
the output (the sink needs everything), a broadcast from the source (which holds the whole).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from iopt.cluster import Charge, Medium, Network
from iopt.partition.geometry import Floats, Ints, Tensors

ROWS, CHANNELS, PARTIAL, WHOLE = range(4)
"""How a tensor is held: rows, channels, partial sums of its whole pre tensor, or all of it on one device.
For needs: rows, channels, and WHOLE for everything."""


class Boxes(NamedTuple):
    """Per device an interval of rows or channels: `kind` [...], `lo` and `hi` [..., m]; an empty interval is nothing.

    PARTIAL: who has a non-empty interval has partial sums of everything. WHOLE: who has one holds, or needs,
    everything.
    """

    kind: Ints
    lo: Ints
    hi: Ints

    @property
    def present(self) -> NDArray[np.bool_]:
        return self.hi > self.lo


def whole_on(device: int, devices: int) -> Boxes:
    """Everything on one device."""
    hi = np.zeros(devices, dtype=np.int64)
    hi[device] = 1
    return Boxes(np.array(WHOLE), np.zeros_like(hi), hi)


def moved(tensors: Tensors, held: Boxes, need: Boxes) -> Ints:
    """Bytes from device k to device j, exact: [..., n, m, m] (the diagonal is zero).

    `held` and `need` have shapes that broadcast to [..., n] and [..., n, m]; n is the dimension of `tensors`.
    """
    kind = held.kind[..., None, None]
    result: Ints = np.asarray(_of_split(tensors, held, need) if (held.kind < PARTIAL).any() else 0)
    if (held.kind == PARTIAL).any():
        partial = held.present[..., :, None] * region_bytes(tensors, need)[..., None, :]
        result = np.where(kind == PARTIAL, partial, result)
    if (held.kind == WHOLE).any():
        whole = held.present[..., :, None] * box_bytes(tensors, need)[..., None, :]
        result = np.where(kind == WHOLE, whole, result)
    return result * ~np.eye(result.shape[-1], dtype=bool)


def _of_split(tensors: Tensors, held: Boxes, need: Boxes) -> Ints:
    """Bytes of what k holds that j needs, where rows or channels are held; a need of another kind is a need of
    everything."""
    by_rows, aligned = held.kind == ROWS, (held.kind == need.kind)[..., None]
    full = np.where(by_rows, tensors.rows, tensors.channels)[..., None]
    lo = np.where(aligned, need.lo, 0)
    hi = np.where(aligned, need.hi, full)
    split: Ints = np.minimum(held.hi[..., :, None], hi[..., None, :])
    split -= np.maximum(held.lo[..., :, None], lo[..., None, :])
    np.maximum(split, 0, out=split)
    each = np.where(by_rows, tensors.row_bytes, tensors.channel_bytes)[..., None]
    split *= (need.present * each)[..., None, :]
    return split


def box_bytes(tensors: Tensors, need: Boxes) -> Ints:
    """Bytes of what each device needs of the tensor."""
    each = np.where(need.kind == ROWS, tensors.row_bytes, tensors.channel_bytes)[..., None]
    box: Ints = np.where(
        (need.kind == WHOLE)[..., None], tensors.bytes[..., None] * need.present, (need.hi - need.lo) * each
    )
    return box


def region_bytes(tensors: Tensors, need: Boxes) -> Ints:
    """Bytes of the region of the pre tensor from which each device makes what it needs."""
    index = np.arange(len(tensors.rows))[:, None]
    by_rows = (need.kind == ROWS)[..., None]
    rows = tensors.pre_hi[index, np.where(by_rows, need.hi, 0)] - tensors.pre_lo[index, np.where(by_rows, need.lo, 0)]
    rows = np.where(need.present, rows, 0) * tensors.pre_row_bytes[..., None]
    channels = (need.hi - need.lo) * tensors.pre_channel_bytes[..., None]
    whole = need.present * tensors.pre_bytes[..., None]
    region: Ints = np.where(by_rows, rows, np.where((need.kind == WHOLE)[..., None], whole, channels))
    return region


def phase_time(moved: Ints, network: Network) -> Floats:
    """Seconds of each phase [...] from its bytes [..., m, m]: `tau * n + volume`, zero without a byte."""
    sent, received = moved.sum(axis=-1), moved.sum(axis=-2)
    if network.medium is Medium.SHARED:
        volume = sent.sum(axis=-1) / network.bandwidth_bytes_per_s
    else:
        links = np.maximum(sent / np.array(network.up_bytes_per_s), received / np.array(network.down_bytes_per_s))
        volume = links.max(axis=-1)
    if network.charge is Charge.PEER:
        connections = ((moved + np.swapaxes(moved, -1, -2)) > 0).sum(axis=-1).max(axis=-1)
    else:
        connections = (sent > 0).any(axis=-1)
    time: Floats = network.connection_s * connections + volume
    return time
