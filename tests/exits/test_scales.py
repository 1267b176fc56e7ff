"""Units, noise and costs far apart change no optimum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from iopt.cluster import Cluster, Device, Network
from iopt.exits.geometry import geometry
from iopt.exits.milp import solve_milp
from iopt.exits.network import Block, Exit, ExitNetwork
from iopt.exits.problem import Application, Problem
from iopt.result import ACCURACY
from tests.exits.agreement import (
    MILPS,
    assert_milps,
    assert_pareto,
    is_admissible,
    same,
)
from tests.exits.instances import tiny_problem
from tests.exits.reference import least_energy


def scaled(problem: Problem, energy: float, time: float, bits: float, memory: int) -> Problem:
    """The same in other units: joule, second, bit and byte."""
    place = problem.cluster
    devices = tuple(
        replace(
            device,
            flops_per_s=device.flops_per_s / time,
            power_w=(device.power_w or 0.0) * energy / time,
            energy_per_bit_j=(device.energy_per_bit_j or 0.0) * energy / bits,
            overhead_s=device.overhead_s * time,
            memory_bytes=None if device.memory_bytes is None else device.memory_bytes * memory,
        )
        for device in place.devices
    )
    network = replace(
        place.network,
        connection_s=place.network.connection_s * time,
        up_bytes_per_s=tuple(rate * bits / time for rate in place.network.up_bytes_per_s),
        down_bytes_per_s=tuple(rate * bits / time for rate in place.network.down_bytes_per_s),
        links=tuple(
            replace(link, bytes_per_s=None if link.bytes_per_s is None else link.bytes_per_s * bits / time)
            for link in place.network.links
        ),
    )
    applications = []
    for application in problem.applications:
        net = application.network
        blocks = tuple(
            replace(block, out_bits=block.out_bits * bits, weight_bytes=block.weight_bytes * memory)
            for block in net.blocks
        )
        net = replace(net, blocks=blocks, input_bits=net.input_bits * bits)
        applications.append(
            replace(
                application,
                network=net,
                latency_s=application.latency_s * time,
                rate_per_s=application.rate_per_s / time,
            )
        )
    place = replace(place, devices=devices, network=network)
    return replace(problem, applications=tuple(applications), cluster=place)


SCALES = [(1e-9, 1.0, 1.0, 1), (1e3, 1.0, 1.0, 1), (1.0, 1e-9, 1.0, 1), (1.0, 1e3, 1.0, 1), (1.0, 1.0, 1e-9, 1)]
SCALES += [(1.0, 1.0, 1e3, 1), (1.0, 1.0, 1.0, 10**6), (1e-9, 1e3, 1e3, 10**3), (1e3, 1e-9, 1e-9, 10**9)]


@pytest.mark.parametrize(("energy", "time", "bits", "memory"), SCALES)
def test_units_do_not_matter(energy: float, time: float, bits: float, memory: int) -> None:
    for seed in range(300, 305):
        problem = tiny_problem(seed, ("any", "all", "links")[seed % 3])
        if not is_admissible(problem):
            continue
        other, optimum = scaled(problem, energy, time, bits, memory), least_energy(problem)
        assert same(least_energy(other), optimum * energy / time, 1e-12)
        assert_pareto(other, optimum * energy / time)
        assert_milps(other, optimum * energy / time, ("flow", "flow, everything"))


# What once was wrong


def test_steps_without_cost_are_not_read_as_decisions() -> None:
    """In the plain form a step that costs nothing may be taken without the blocks at its ends."""
    blocks = (Block("a", 1.0, 0.0), Block("b", 0.0, 0.0))
    net = ExitNetwork("net", 0.0, blocks, (Exit("last", 2, 1.0, 1.0),))
    devices = tuple(Device(f"d{n}", 1.0, power_w=1.0 + n, energy_per_bit_j=0.0) for n in range(3))
    problem = Problem((Application(net, 0.0, 10.0),), Cluster("c", devices, Network(0.0, (1.0,) * 3, (1.0,) * 3)))
    for seed, limited in ((33, "none"), (78, "all"), (133, "any")):
        assert_milps(drawn := tiny_problem(seed, limited, most_blocks=5), least_energy(drawn))
    assert_milps(problem, 1.0)


def test_an_optimum_of_nothing_is_proved() -> None:
    """The solver's bound is then noise above zero, which is no contradiction."""
    for seed, applications in ((10, 2), (13, 2), (3, 1)):
        problem = tiny_problem(seed, "links", applications, most_blocks=3)
        devices = tuple(replace(device, power_w=0.0) for device in problem.cluster.devices)
        free = replace(problem, cluster=replace(problem.cluster, devices=devices))
        assert_milps(free, least_energy(free))


def test_a_source_that_is_a_million_times_dearer_does_not_hide_the_optimum() -> None:
    """The solver's unit of energy is then not that of the best plan's blocks on their source."""
    for seed in (10, 21, 30, 31):
        problem = tiny_problem(seed, "links", most_blocks=5)
        devices = tuple(
            replace(device, power_w=(device.power_w or 0.0) * 10 ** (6 * index))
            for index, device in enumerate(problem.cluster.devices)
        )
        dear = replace(problem, cluster=replace(problem.cluster, devices=devices))
        optimum = least_energy(dear)
        assert_milps(dear, optimum, ("flow", "plain, reduced"))
        for name in ("flow, everything", "plain"):  # with steps 10^12 apart, the best plan, but not always its proof
            result = solve_milp(dear, **MILPS[name])
            assert result.objective is not None
            assert result.bound is not None
            assert same(result.objective, optimum)
            assert result.bound <= optimum * (1 + ACCURACY)


@pytest.mark.filterwarnings("error")
def test_links_that_are_absent_and_samples_that_all_leave_are_no_nan() -> None:
    for seed in range(20):
        problem = replace(tiny_problem(seed, "any"), latency="expected")
        (application,) = problem.applications
        leave = tuple(replace(each, fraction=float(index == 0)) for index, each in enumerate(application.network.exits))
        application = replace(application, network=replace(application.network, exits=leave))
        shape = geometry(replace(problem, applications=(application,)), 0, len(leave) - 1)
        assert not np.isnan(shape.time).any()
        assert (np.isfinite(shape.time) == np.isfinite(shape.energy)).all()
