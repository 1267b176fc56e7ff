"""What the executor allocates besides parameters: the memory model `runtime`, step by step (`docs/partition.md`).

Every number is of bytes, whole and exact: what PyTorch's allocator gives out to `iopt.partition.runtime.worker`.
"""

from __future__ import annotations

import numpy as np

from iopt.partition.decisions import Decisions
from iopt.partition.geometry import IC, OC, Geometry, H, Ints, Tensors
from iopt.partition.transfer import CHANNELS, PARTIAL, ROWS, WHOLE, Boxes, box_bytes, region_bytes


def exchange_bytes(
    tensors: Tensors, held: Boxes, need: Boxes, moved: Ints, pools: np.ndarray, given: np.ndarray
) -> Ints:
    """The most that each device has at once in exchanges [..., n, m]: what it holds, what it needs, and messages.

    `moved` [..., n, m, m]: bytes of the messages. `pools` [n]: whether sums pass a pooling. `given` [n]: whether the
    tensor is the caller's, and no part of what a device allocates.
    """
    by_rows, is_partial = (need.kind == ROWS)[..., None], (held.kind == PARTIAL)[..., None]
    sent, received = moved.sum(axis=-1), moved.sum(axis=-2)
    packs = by_rows & (held.kind != CHANNELS)[..., None]
    in_place = (held.kind == WHOLE)[..., None] | ((held.kind == CHANNELS)[..., None] & ~by_rows)
    has, needed = held_bytes(tensors, held) * ~given[:, None], box_bytes(tensors, need)
    is_equal = (held.kind == need.kind)[..., None] & (held.lo == need.lo)
    keeps = (has == needed) & (is_equal | (needed == tensors.bytes[:, None]))
    messages = packs * sent + ~in_place * received
    joined = has + messages + needed * ~keeps
    region = region_bytes(tensors, need)
    summed = has + np.maximum(packs * sent + received, region * held.present)
    after: Ints = np.maximum(summed, (region + needed) * pools[:, None])
    peak: Ints = np.where(is_partial, after, joined)
    return peak


def held_bytes(tensors: Tensors, held: Boxes) -> Ints:
    """Bytes of what each device holds of the tensor, or of partial sums of its pre tensor."""
    sums = held.present * tensors.pre_bytes[:, None]
    held_here: Ints = np.where((held.kind == PARTIAL)[..., None], sums, box_bytes(tensors, held))
    return held_here


def compute_bytes(geometry: Geometry, plans: Decisions, need: Boxes, written: Ints) -> Ints:
    """The most at once in computing each operator [..., n, m]: input, pre box (`written`) and columns; then the pre box
    and what is pooled of it."""
    index, share, some = np.arange(len(geometry.pools)), plans.hi - plans.lo, plans.hi > plans.lo
    fixed, each = (table[index, plans.mode][..., None] for table in (geometry.columns, geometry.columns_each))
    body = box_bytes(geometry.tensors[:-1], need) + written * ~geometry.in_place[:, None] + fixed * some + each * share
    out = geometry.tensors[1:]
    unit = np.where(plans.mode == H, out.row_bytes, np.where(plans.mode == OC, out.channel_bytes, 0))[..., None]
    pooled: Ints = np.maximum(body, written + unit * share * geometry.pools[:, None])
    return pooled


def summing_bytes(geometry: Geometry, plans: Decisions, after: Boxes) -> Ints:
    """Scale and shift of batch norms on devices that add up sums of others and have none themselves [..., n, m].

    `after`: what is needed of each operator's output.
    """
    direct = ((plans.mode >= IC) & ~plans.scatter)[..., None]
    channels = np.where(
        (after.kind == CHANNELS)[..., None], after.hi - after.lo, after.present * geometry.tensors.channels[1:, None]
    )
    scattered = (plans.scatter_hi - plans.scatter_lo) * plans.scatter[..., None]
    others: Ints = np.where(direct, channels, scattered) * (plans.hi == plans.lo) * geometry.norm_bytes[:, None]
    return others
