"""CoEdge's workload ratio: one share of the rows per device, the same in every layer (arXiv 2012.03257)."""

from __future__ import annotations

import numpy as np

from iopt.cluster import Medium
from iopt.graph.layers import Conv2d
from iopt.partition.geometry import Floats
from iopt.partition.problem import Problem


def equal_ratio(devices: list[int], count: int) -> Floats:
    """The same share for each of `devices` among `count`: [count], sums to one."""
    ratio = np.zeros(count)
    ratio[devices] = 1 / len(devices)
    return ratio


def lp_ratio(problem: Problem, by_rows: tuple[bool, ...], devices: list[int], target: int | None) -> Floats:
    """Shares [m] of the linear programme, zero outside `devices`, sum one.

        min  sum_i T_i + V_in + V_out       over a >= 0, sum_j a_j = 1
        T_i >= o_j + a_j F_i / f_j          every convolution i split by rows, every device j
        V_in, V_out >= volume of the input from the source, of the gather of the last rows on device `target`

    `target` None: every device receives the last rows (a concatenation). [choice] Without a convolution that is split
    by rows there is nothing to balance: shares in proportion to FLOP/s. Solved by HiGHS in units of a reference time.
    [choice] The same shares where HiGHS does not solve it: times many orders of magnitude apart.
    """
    cluster = problem.cluster
    convolutions = [
        operator
        for operator, is_rows in zip(problem.operators, by_rows, strict=True)
        if is_rows and isinstance(operator.body, Conv2d)
    ]
    flops = np.array([operator.flops for operator in convolutions])
    rate = np.array([cluster.devices[device].flops_per_s for device in devices])
    overhead = np.array([cluster.devices[device].overhead_s for device in devices])
    ratio = np.zeros(len(cluster))
    if not len(flops):
        ratio[devices] = _proportional(rate)
        return ratio
    last = max(index for index, is_rows in enumerate(by_rows) if is_rows)
    with np.errstate(all="ignore"):
        volumes = (
            _sending(problem, devices, problem.graph.input_shape.bytes),
            _gathering(problem, devices, problem.operators[last].output_shape.bytes, target),
        )
        reference = flops.sum() / rate.sum()
        compute = [(np.diag(work / rate), -overhead) for work in flops]
        matrix, limit = _epigraphs([*compute, *volumes], reference)
    shares = _solution(matrix, limit, len(devices))
    ratio[devices] = _proportional(rate) if shares is None else np.maximum(shares, 0.0)
    normalised: Floats = ratio / ratio.sum()
    return normalised


def _proportional(rate: Floats) -> Floats:
    """Shares in proportion to FLOP/s, whose sum may be beyond all floats."""
    scaled = rate / rate.max()
    shares: Floats = scaled / scaled.sum()
    return shares


def _solution(matrix: Floats, limit: Floats, count: int) -> Floats | None:
    """The first `count` variables of the programme, the shares; None where it is not solved."""
    from scipy.optimize import linprog

    if not (np.isfinite(matrix).all() and np.isfinite(limit).all()):
        return None
    times = matrix.shape[1] - count
    objective = np.concatenate([np.zeros(count), np.ones(times)])
    total = np.concatenate([np.ones(count), np.zeros(times)])[None]
    found = linprog(objective, A_ub=matrix, b_ub=limit, A_eq=total, b_eq=[1.0], method="highs")
    return None if found.x is None else found.x[:count]


def _sending(problem: Problem, devices: list[int], size: int) -> tuple[Floats, Floats]:
    """Rows (A, b) of `volume >= A a - b`, in s: the input goes from the source to everybody."""
    cluster, away = problem.cluster, np.array([float(device != problem.cluster.source) for device in devices])
    network = cluster.network
    if network.medium is Medium.SHARED:
        assert network.bandwidth_bytes_per_s is not None
        return size / network.bandwidth_bytes_per_s * away[None], np.zeros(1)
    down = np.array(network.down_bytes_per_s)[devices]
    sent = size / network.up_bytes_per_s[cluster.source] * away
    return np.vstack([sent, np.diag(size / down * away)]), np.zeros(len(devices) + 1)


def _gathering(problem: Problem, devices: list[int], size: int, target: int | None) -> tuple[Floats, Floats]:
    """The same for the last rows, which go to device `target`, or to everybody."""
    network, count = problem.cluster.network, len(devices)
    receivers = devices if target is None else [target]
    copies = np.array([float(sum(device != other for other in receivers)) for device in devices])
    own = np.array([[float(device == other) for device in devices] for other in receivers])
    if network.medium is Medium.SHARED:
        assert network.bandwidth_bytes_per_s is not None
        return size / network.bandwidth_bytes_per_s * copies[None], np.zeros(1)
    up, down = np.array(network.up_bytes_per_s)[devices], np.array(network.down_bytes_per_s)[receivers, None]
    sent, received = np.diag(size * copies / up), size / down * (1 - own)
    return np.vstack([sent, received]), np.zeros(count + len(receivers))


def _epigraphs(blocks: list[tuple[Floats, Floats]], reference: float) -> tuple[Floats, Floats]:
    """`A a - t_b <= b` for every row of every block b, in units of `reference`."""
    rows = []
    for index, (matrix, _) in enumerate(blocks):
        time = np.zeros((len(matrix), len(blocks)))
        time[:, index] = -1.0
        rows.append(np.hstack([matrix / reference, time]))
    return np.vstack(rows), np.concatenate([limit for _, limit in blocks]) / reference
