"""What each device waits for adds up to what the evaluator predicts."""

from __future__ import annotations

import time

import pytest

from iopt.cluster import Charge
from iopt.partition.evaluation import Evaluator
from iopt.partition.runtime.emulation import Emulation, wait_until
from iopt.partition.runtime.schedule import Exchange, schedule
from tests.partition.runtime.cases import tiny_case


def test_the_slowest_device_takes_as_long_as_predicted() -> None:
    exact = 0
    for seed in range(300):
        case = tiny_case(seed)
        steps, devices = schedule(case.problem, case.plan).steps, range(len(case.problem.cluster))
        emulations = [Emulation(case.problem, device) for device in devices]
        predicted = Evaluator(case.problem)(case.plan)
        compute = [max(each.compute_s(step) for each in emulations) for step in steps if not isinstance(step, Exchange)]
        assert compute == pytest.approx(predicted.compute_by_operator_s, rel=1e-12)
        exchanges = [step for step in steps if isinstance(step, Exchange) and step.transfers]
        for step, phase in zip(exchanges, predicted.phases, strict=True):
            slowest = max(each.exchange_s(step) for each in emulations)
            if case.problem.cluster.network.charge is Charge.PHASE:
                assert slowest == pytest.approx(phase.time_s, rel=1e-12)
                exact += 1
            else:  # the device with the most peers need not be that with the most bytes
                assert slowest <= phase.time_s * (1 + 1e-12)
    assert exact > 100


def test_messages_leave_in_order_and_within_the_exchange() -> None:
    sending = 0
    for seed in range(300):
        case = tiny_case(seed)
        for step in schedule(case.problem, case.plan).steps:
            if not isinstance(step, Exchange):
                continue
            for device in range(len(case.problem.cluster)):
                through = Emulation(case.problem, device).sending_s(step)
                assert set(through) == {transfer.receiver for transfer in step.out_of(device)}
                assert list(through.values()) == sorted(through.values())
                for receiver, moment in through.items():
                    ends = [Emulation(case.problem, each).exchange_s(step) for each in (device, receiver)]
                    assert case.problem.cluster.network.charge is Charge.PEER or moment <= max(ends) * (1 + 1e-12)
                    sending += 1
    assert sending > 100


def test_links_may_be_left_as_they_are() -> None:
    for seed in range(50):
        case = tiny_case(seed)
        for device in range(len(case.problem.cluster)):
            links, real = (Emulation(case.problem, device, links=links) for links in (True, False))
            for step in schedule(case.problem, case.plan).steps:
                if isinstance(step, Exchange):
                    assert real.exchange_s(step) == 0
                    assert real.sending_s(step) == dict.fromkeys(links.sending_s(step), 0.0)
                else:
                    assert real.compute_s(step) == links.compute_s(step)


def test_waiting_ends_no_earlier() -> None:
    moment = time.perf_counter() + 0.003
    wait_until(moment)
    assert time.perf_counter() >= moment
