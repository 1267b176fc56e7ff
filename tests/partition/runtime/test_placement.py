"""Where tensors live: on GPUs only where every rank has one, and then all of them. No GPU is needed: what CUDA and NCCL
would say is made up, and tensors without data (`meta`) stand for those of another device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import distributed

from iopt.errors import RunError
from iopt.partition.runtime.distributed import DistributedRun
from iopt.partition.runtime.local import LocalRun
from iopt.partition.runtime.placement import Placement
from iopt.partition.runtime.pulse import Pulse
from iopt.partition.runtime.rank import Job, _placement
from iopt.partition.runtime.schedule import Exchange, schedule
from iopt.partition.runtime.watch import PATIENCE
from iopt.partition.runtime.weights import StateWeights
from iopt.partition.runtime.worker import Message, Worker
from tests.partition.runtime.cases import cases_over, tiny_case
from tests.partition.runtime.test_local import GRAPHS

META = torch.device("meta")
CASE = tiny_case(0)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What this rank's host has, and the lowest vote of the others; then what was chosen."""
    state: dict[str, Any] = {"cuda": True, "nccl": True, "gpus": 2, "others": 1}

    def all_reduce(vote: torch.Tensor, how: object) -> None:
        assert how is distributed.ReduceOp.MIN
        vote.clamp_(max=state["others"])

    def find(local_rank: int, emulate: bool = False) -> Placement:
        return _placement(Job(CASE.problem, CASE.plan, emulate=emulate), local_rank, Pulse("d"))

    state["find"] = find
    monkeypatch.setattr(torch.cuda, "is_available", lambda: state["cuda"])
    monkeypatch.setattr(torch.cuda, "device_count", lambda: state["gpus"])
    monkeypatch.setattr(torch.cuda, "set_device", lambda number: state.update(device=number))
    monkeypatch.setattr(distributed, "is_nccl_available", lambda: state["nccl"])
    monkeypatch.setattr(distributed, "all_reduce", all_reduce)
    monkeypatch.setattr(distributed, "new_group", lambda backend, timeout: state.update(patience=timeout) or backend)
    monkeypatch.setenv("TORCH_NCCL_BLOCKING_WAIT", "0")
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    yield state
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


def test_every_rank_has_a_gpu_of_its_own(machine: dict[str, Any]) -> None:
    assert machine["find"](1) == Placement(torch.device("cuda", 1), "nccl")
    assert machine["device"] == 1
    assert machine["patience"] == PATIENCE
    assert not torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize("lacking", [{"cuda": False}, {"nccl": False}, {"gpus": 1}, {"others": 0}])
def test_without_a_gpu_for_each_all_are_in_memory(machine: dict[str, Any], lacking: dict[str, Any]) -> None:
    machine |= lacking
    assert machine["find"](1) == Placement(torch.device("cpu"), None)
    assert "device" not in machine


def test_what_plays_another_machine_is_in_memory(machine: dict[str, Any]) -> None:
    assert machine["find"](1, emulate=True) == Placement(torch.device("cpu"), None)


def test_a_rank_that_is_lost_before_its_vote_is_said_to_be(
    machine: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*given: object) -> None:
        raise RuntimeError("Connection closed by peer")

    monkeypatch.setattr(distributed, "all_reduce", lost)
    with pytest.raises(RunError, match="device 'd' waited for the others to say whether they have GPUs in vain"):
        machine["find"](1)


def test_a_gpu_says_itself_what_it_gave_out(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device: said.append("reset"))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 100)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 170)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: said.append("settled"))
    found = Placement(torch.device("cuda", 0)).peak_bytes(lambda: said.append("ran"))
    assert (found, said) == (70, ["reset", "ran", "settled"])
    assert Placement().peak_bytes(lambda: torch.empty(25)) == 100


def test_all_tensors_of_a_worker_are_where_it_is() -> None:
    """A tensor that is made elsewhere would meet one of the device, and torch refuses that."""
    cases = [tiny_case(seed) for seed in range(150)]
    cases += [case for graph in GRAPHS.values() for case in cases_over(graph, 4, 4)]
    for case in cases:
        steps = schedule(case.problem, case.plan)
        run = LocalRun(steps, StateWeights(case.state))
        run.workers = [Worker(steps, each.device, each.parameters, META) for each in run.workers]
        for worker in run.workers:
            tensors = [part for each in worker.parameters.values() for part in (each.weight, each.bias)]
            assert all(tensor is None or tensor.device == META for tensor in tensors)
        output, _ = run(case.image)
        assert output.device == META


def test_nccl_gets_all_messages_of_a_phase_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[list[tuple[object, int, object]]] = []

    def batch(wanted: list[Any]) -> list[Any]:
        batches.append([(each.op, each.peer, each.group) for each in wanted])
        return []

    monkeypatch.setattr(distributed, "P2POp", FakeOp)
    monkeypatch.setattr(distributed, "batch_isend_irecv", batch)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: None)
    case = next(case for case in map(tiny_case, range(50)) if len(case.problem.cluster) == 3)
    steps = schedule(case.problem, case.plan)
    worker = Worker(steps, 0, {})
    worker.place = torch.device("cuda", 0)
    run = DistributedRun(steps, worker, group="nccl")
    step = next(step for step in steps.steps if isinstance(step, Exchange))
    tensor = torch.empty(1)
    run._carry(step, [Message(1, tensor), Message(2, tensor)], [Message(2, tensor)])
    assert batches == [[(distributed.irecv, 2, "nccl"), (distributed.isend, 1, "nccl"), (distributed.isend, 2, "nccl")]]


class FakeOp:
    """In place of `P2POp`, which asks for a process group."""

    def __init__(self, op: object, tensor: torch.Tensor, peer: int, group: object) -> None:
        self.op, self.peer, self.group = op, peer, group
