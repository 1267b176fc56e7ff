"""Which axes an operator may be split along, and which networks are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iopt.cluster import Link
from iopt.errors import ClusterError, ModelError, OptionError
from iopt.graph import Graph, Operator
from iopt.graph.layers import Add, Shape
from iopt.partition.methods import solve
from iopt.partition.plan import Axis
from iopt.partition.problem import Mode, Problem
from tests.instances import (
    Layer,
    adaptive_pool,
    avg_pool,
    chain,
    cluster,
    conv,
    linear,
    max_pool,
    norm,
    pool,
)

H, OC, IC = Axis.H, Axis.OC, Axis.IC


@pytest.mark.parametrize(
    ("layer", "shape", "modes"),
    [
        pytest.param(conv(6, 3), (4, 8, 8), [(H, None, 6, 1), (OC, None, 6, 1), (IC, None, 4, 1)], id="convolution"),
        pytest.param(
            conv(6, 3, pooling=max_pool(2)),
            (4, 8, 8),
            [(H, None, 3, 1), (OC, None, 6, 1), (IC, None, 4, 1)],
            id="pooled",
        ),
        pytest.param(
            conv(6, 3, pooling=adaptive_pool(1)),
            (4, 8, 8),
            [(H, None, 1, 1), (OC, None, 6, 1), (IC, None, 4, 1)],
            id="to 1x1",
        ),
        pytest.param(conv(6, 3), (1, 8, 8), [(H, None, 6, 1), (OC, None, 6, 1), (IC, None, 1, 1)], id="one channel in"),
        pytest.param(conv(4, 3, groups=4), (4, 8, 8), [(H, None, 6, 1), (OC, None, 4, 1)], id="depthwise"),
        pytest.param(conv(8, 3, groups=4), (4, 8, 8), [(H, None, 6, 1), (OC, None, 8, 2)], id="depthwise, multiplied"),
        pytest.param(conv(6, 3, groups=2), (4, 8, 8), [(H, None, 6, 1), (OC, None, 6, 3)], id="grouped"),
        pytest.param(linear(5), (4, 1, 1), [(OC, None, 5, 1), (IC, None, 4, 1)], id="linear"),
        pytest.param(
            linear(5), (4, 3, 2), [(OC, None, 5, 1), (IC, None, 4, 1), (IC, "rows", 3, 1)], id="linear after flatten"
        ),
        pytest.param(linear(5), (4, 1, 2), [(OC, None, 5, 1), (IC, None, 4, 1)], id="linear after one row"),
        pytest.param(pool(max_pool(2)), (4, 8, 8), [(H, None, 4, 1), (OC, None, 4, 1)], id="pool"),
        pytest.param(pool(adaptive_pool(1)), (4, 8, 8), [(OC, None, 4, 1)], id="global pool"),
        pytest.param(pool(avg_pool(8)), (4, 8, 8), [(OC, None, 4, 1)], id="global pool by its window"),
        pytest.param(norm(), (4, 8, 8), [(H, None, 8, 1), (OC, None, 4, 1)], id="batch norm of its own"),
    ],
)
def test_modes(layer: Layer, shape: tuple[int, int, int], modes: list[tuple[Any, ...]]) -> None:
    problem = Problem(chain("net", shape, [layer]), cluster((1.0, 1.0)))
    assert problem.modes == (tuple(Mode(*mode) for mode in modes),)


def test_rows_of_a_linear_operator_can_be_left_out() -> None:
    problem = Problem(chain("net", (4, 3, 2), [linear(5)]), cluster((1.0, 1.0)), along_rows=False)
    assert problem.modes == ((Mode(OC, None, 5), Mode(IC, None, 4)),)


def test_a_network_with_branches_is_refused_by_name() -> None:
    first = chain("net", (2, 4, 4), [conv(2, 3, padding=1)]).operators[0]
    shape = Shape(2, 4, 4)
    add = Operator("sum", Add(), ("op1", "input"), (shape, shape), shape, shape)
    graph = Graph("skip", shape, (first, add))
    with pytest.raises(
        ModelError, match=r"skip has branches \('sum' reads op1 and input\); only chains can be planned so far"
    ):
        Problem(graph, cluster((1.0,)))


def test_an_operator_that_skips_the_one_before_it_is_a_branch() -> None:
    one, two = chain("net", (2, 4, 4), [conv(2, 3, padding=1), conv(2, 3, padding=1)]).operators
    shape = Shape(2, 4, 4)
    add = Operator("sum", Add(), ("op1", "op2"), (shape, shape), shape, shape)
    graph = Graph("fork", shape, (one, replace(two, inputs=("input",)), add))
    with pytest.raises(ModelError, match=r"fork has branches \('op2' reads input\)"):
        Problem(graph, cluster((1.0,)))


def test_outputs_of_padding_alone_are_refused() -> None:
    graph = chain("wide", (4, 8, 8), [conv(2, 3, padding=2), conv(2, 1, padding=1)])
    with pytest.raises(ModelError) as caught:
        Problem(graph, cluster((1.0,)))
    assert str(caught.value) == (
        "operator 'op2': padding is (1, 1); a partition is of convolutions whose padding is less than their reach, so "
        "that no output is of padding alone"
    )


def test_a_cluster_with_links_of_its_own_is_refused() -> None:
    given = cluster((1.0, 1.0))
    linked = replace(given, network=replace(given.network, links=(Link(0, 1, None),)))
    with pytest.raises(
        ClusterError, match=r"network\.links: expected none, since partition plans assume a link between"
    ):
        Problem(chain("net", (4, 8, 8), [conv(2, 3)]), linked)


def test_tiers_power_and_energy_cost_nothing() -> None:
    network, given = chain("net", (4, 8, 8), [conv(2, 3)]), cluster((1.0, 2.0))
    devices = tuple(replace(device, tier="low", power_w=5.0, energy_per_bit_j=1e-9) for device in given.devices)
    tiered = replace(given, devices=devices, tiers=("low",))
    results = [solve(Problem(network, which), "dp") for which in (given, tiered)]
    assert results[0].plan == results[1].plan
    assert results[0].objective == results[1].objective


@pytest.mark.parametrize("along_rows", ["no", None, 0])
def test_along_rows_is_yes_or_no(along_rows: Any) -> None:
    with pytest.raises(OptionError, match=f"^along_rows is {along_rows!r}; expected True or False$"):
        Problem(chain("net", (4, 8, 8), [conv(2, 3)]), cluster((1.0,)), along_rows=along_rows)
