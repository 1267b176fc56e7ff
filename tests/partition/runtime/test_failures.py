"""Processes that are lost, hang or refuse: the error says which device and where, soon, and nothing is left running;
or the others take over, and the output is right."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path

import pytest

import iopt as package
from iopt.errors import (
    ContradictionError,
    DeviceLostError,
    IoptError,
    ModelError,
    OptionError,
    RunError,
    UnsupportedOperatorError,
)
from iopt.inference import run
from iopt.partition import files
from iopt.partition.methods import solve
from iopt.partition.plan import Axis, Direct, Plan, Scatter, Split, intervals_from
from iopt.partition.problem import Problem
from iopt.partition.runtime.board import Sign
from iopt.partition.runtime.failures import failure, leave_word
from iopt.partition.runtime.launch import launch
from iopt.partition.runtime.rank import Job
from iopt.partition.runtime.replan import replan, without
from iopt.partition.runtime.schedule import Exchange, schedule, step_name
from tests.instances import chain, cluster, conv, linear
from tests.partition.runtime.faults import Fault, inject, limited

THIRDS = intervals_from((2, 2, 2))
GRAPH = chain("all", (3, 6, 6), [*(conv(6, 3, padding=1) for _ in range(5)), linear(6), linear(3)])
PROBLEM = Problem(GRAPH, cluster((1.0,) * 3, sink=2))
PLAN = Plan(
    (
        Split("op1", Axis.H, THIRDS),
        Split("op2", Axis.H, THIRDS),
        Split("op3", Axis.OC, THIRDS),
        Split("op4", Axis.IC, THIRDS, None, Scatter(THIRDS)),
        Split("op5", Axis.H, THIRDS, via="source"),
        Split("op6", Axis.OC, THIRDS),
        Split("op7", Axis.IC, THIRDS, None, Direct()),
    )
)
STEPS = schedule(PROBLEM, PLAN).steps
PLACES = {
    "input": "input into 'op1'",
    "compute": "compute of 'op2'",
    "halo": "transfer into 'op2'",
    "concatenation": "transfer into 'op3'",
    "partial sums": "scatter of 'op4'",
    "gather": "gather of 'op5'",
    "sums at the sink": "output of 'op7'",
}


def fault(place: str, rank: int, by: signal.Signals = signal.SIGKILL) -> Fault:
    """At the step of that name, in the second inference."""
    return Fault(3, rank, place, by)


@pytest.fixture(autouse=True)
def _ends() -> Iterator[None]:
    """Every test ends, and leaves no process behind."""
    with limited(60):
        yield
    assert not active_children()


def test_the_plan_has_every_kind_of_phase() -> None:
    moving = [step for step in STEPS if isinstance(step, Exchange) and step.transfers]
    assert {step_name(step) for step in moving} >= {name for name in PLACES.values() if not name.startswith("compute")}
    assert {step.kind for step in moving} == {"input", "transfer", "scatter", "gather", "output"}


@pytest.mark.parametrize(
    ("what", "rank"),
    [
        *((what, 1) for what in PLACES),
        *(pytest.param(what, rank, marks=pytest.mark.full) for what in PLACES for rank in (0, 2)),
    ],
)
def test_the_others_complete_what_a_killed_process_left(what: str, rank: int, monkeypatch: pytest.MonkeyPatch) -> None:
    place = PLACES[what]
    inject(monkeypatch, fault(place, rank))
    found = run(PLAN, problem=PROBLEM, repeat=3, on_failure="replan", verify=True)
    assert [*found.lost] == [f"d{rank}"]
    message = found.lost[f"d{rank}"]
    assert message.startswith(f"the process of device 'd{rank}' was ended by SIGKILL in the {place}")
    for other in {0, 1, 2} - {rank}:
        assert re.search(
            rf"device 'd{other}' (could not (send to|receive from) 'd\d' in the \w+ (into|of) 'op\d'|waited for)",
            message,
        )
    assert found.difference is not None
    assert found.difference < 1e-5
    assert found.bytes_agree
    assert len(found.latencies_s) == 3
    assert [device.name for device in found.problem.cluster.devices] == [
        f"d{each}" for each in range(3) if each != rank
    ]


def test_a_lost_process_fails_the_run_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    inject(monkeypatch, fault(PLACES["halo"], 1))
    with pytest.raises(DeviceLostError, match="'d1' was ended by SIGKILL in the transfer into 'op2'") as caught:
        run(PLAN, problem=PROBLEM, repeat=3)
    assert caught.value.devices == ("d1",)
    assert caught.value.exit_code == 5


def test_a_process_that_hangs_is_named_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    place = PLACES["partial sums"]
    inject(monkeypatch, fault(place, 2, signal.SIGSTOP))
    began = time.monotonic()
    found = run(PLAN, problem=PROBLEM, repeat=3, timeout_s=1.0, on_failure="replan", verify=True)
    assert 1.0 < time.monotonic() - began < 30
    message = found.lost["d2"]
    assert message.startswith(f"the process of device 'd2' does not answer since it began the {place}")
    assert re.search(rf"device 'd\d' waits to (send to|receive from) 'd2' in the {place}", message)
    assert found.difference is not None
    assert found.difference < 1e-5


def test_one_after_the_other_is_lost_until_nobody_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    inject(monkeypatch, fault(PLACES["compute"], 1), Fault(2, 0, PLACES["input"]))
    found = run(PLAN, problem=PROBLEM, repeat=3, on_failure="replan", verify=True)
    assert [*found.lost] == ["d1", "d0"]
    assert found.difference is not None
    assert found.difference < 1e-5
    assert found.bytes == 0
    inject(monkeypatch, fault(PLACES["compute"], 1), Fault(2, 0, PLACES["input"]), Fault(1, 0, PLACES["input"]))
    with pytest.raises(RunError, match="'d2' was ended by SIGKILL") as caught:
        run(PLAN, problem=PROBLEM, repeat=3, on_failure="replan")
    assert str(caught.value).endswith("; no device is left to plan for")


def test_a_plan_for_the_others_must_keep_their_caps() -> None:
    capped = replace(PROBLEM, cluster=PROBLEM.cluster.with_memory((5000, 5000, 100)))
    with pytest.raises(RunError, match=r"no plan for the 1 devices that are left: .*d2"):
        replan(capped, {"d0", "d1"}, "oc")


def test_source_and_sink_move_to_a_device_that_is_left() -> None:
    given = cluster((1.0, 2.0, 3.0, 4.0), (5.0, 6.0, 7.0, 8.0), (9.0, 10.0, 11.0, 12.0), source=1, sink=3)
    rest = without(given, {"d0"})
    assert (rest.source, rest.sink) == (0, 2)
    assert [device.flops_per_s for device in rest.devices] == [2.0, 3.0, 4.0]
    assert (rest.network.up_bytes_per_s, rest.network.down_bytes_per_s) == ((6.0, 7.0, 8.0), (10.0, 11.0, 12.0))
    assert [(each.source, each.sink) for each in (without(given, {"d1"}), without(given, {"d3"}))] == [(2, 2), (1, 1)]
    both = without(given, {"d1", "d3"})
    assert (both.source, both.sink) == (0, 0)
    assert without(cluster((1.0, 2.0), bandwidth=3.0), {"d0"}).network.bandwidth_bytes_per_s == 3.0


@pytest.mark.parametrize(("method", "axes"), [("oc", {Axis.OC}), ("milp", None), ("", None)])
def test_the_method_of_the_plan_plans_again_if_it_is_fast(method: str, axes: set[Axis] | None) -> None:
    problem, plan = replan(PROBLEM, {"d0"}, method)
    expected = solve(problem, method if axes else "dp").plan
    assert plan == expected
    assert axes is None or {split.axis for split in plan.splits} == axes


def test_a_rank_that_refuses_ends_all(tmp_path: Path) -> None:
    missing = Job(PROBLEM, PLAN, str(tmp_path / "none.safetensors"))
    with pytest.raises(ModelError, match="there is no such file"):
        launch([missing], 30.0)


@pytest.mark.parametrize("kind", [UnsupportedOperatorError, ModelError, ContradictionError])
def test_a_refusal_is_of_the_kind_that_the_rank_raised(kind: type[IoptError], tmp_path: Path) -> None:
    """Also where that is not a direct kind of `IoptError`."""
    leave_word(tmp_path, 1, kind("no such thing"))
    found = failure(["a", "b"], [None, 1], tmp_path, {})
    assert (type(found), str(found)) == (kind, "no such thing")


def test_what_failed_otherwise_is_told(tmp_path: Path) -> None:
    leave_word(tmp_path, 0, RunError("device 'a' could not receive from 'b'"))
    leave_word(tmp_path, 1, ValueError("odd"))
    found = failure(["a", "b"], [1, 1], tmp_path, {})
    assert str(found) == "device 'b' failed: ValueError: odd; device 'a' could not receive from 'b'"


def test_processes_that_never_began_are_no_lost_devices(tmp_path: Path) -> None:
    """As where a script has no guard; a signal is something else, and so is an end after a first sign."""
    never, begun = Sign(0, 0, "", ""), Sign(1, 1, "", "")
    found = failure(["a", "b"], [1, 1], tmp_path, {0: never, 1: never})
    assert type(found) is RunError
    assert str(found).startswith("a script that calls iopt.run needs `if __name__ == '__main__':` around it")
    assert type(failure(["a", "b"], [None, 1], tmp_path, {0: never, 1: never})) is RunError
    for codes, second in (([1, -9], never), ([1, 1], begun), ([3, 3], never)):
        assert type(failure(["a", "b"], codes, tmp_path, {0: never, 1: second})) is DeviceLostError


def test_a_script_without_a_guard_says_what_it_needs(tmp_path: Path) -> None:
    files.save(tmp_path / "plan.json", PROBLEM, solve(PROBLEM, "oc"), 1e-4)
    script = tmp_path / "script.py"
    script.write_text("import iopt\niopt.run('plan.json', on_failure='replan')\n")
    environment = {**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=120
    )
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("iopt.errors.RunError: a script that calls iopt.run needs `if __name__ == '__main__':`")


def test_failures_are_dealt_with_in_known_ways() -> None:
    with pytest.raises(OptionError, match="on_failure is 'retry'; expected fail or replan"):
        run(PLAN, problem=PROBLEM, on_failure="retry")  # type: ignore[arg-type]
