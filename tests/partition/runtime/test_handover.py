"""What rank 0 says in the end: bytes and output are held to what they should be, and files have the names given."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from iopt.errors import ContradictionError, IoptError, ModelError
from iopt.partition.runtime import handover
from iopt.partition.runtime.execution import relative_difference
from iopt.partition.runtime.handover import hand_over
from iopt.partition.runtime.random_weights import RandomWeights
from iopt.partition.runtime.rank import Job, Outcome, input_of
from iopt.partition.runtime.records import RankReport
from iopt.partition.runtime.schedule import schedule
from iopt.partition.runtime.unsplit import run_unsplit
from tests.partition.runtime.cases import record
from tests.partition.runtime.perfetto import read
from tests.partition.runtime.test_failures import PLAN, PROBLEM

JOB = Job(PROBLEM, PLAN)


def outcome(lost_phase: int | None = None) -> Outcome:
    """The right one; without the bytes of one phase, if that is named."""
    steps = schedule(PROBLEM, PLAN)
    times = [(float(number), number + 1.0) for number in range(len(steps.steps))]
    records = [record(steps, device, times) for device in range(3)]
    if lost_phase is not None:
        records = [
            replace(each, sent=_without(each.sent, lost_phase), received=_without(each.received, lost_phase))
            for each in records
        ]
    state = RandomWeights(PROBLEM.graph, JOB.seed).state()
    output = run_unsplit(PROBLEM.graph, state, input_of(JOB)[None])[0]
    return Outcome(output, [RankReport(device, 0, 0, [each]) for device, each in enumerate(records)])


def _without(phases: list[dict[int, int]], number: int) -> list[dict[int, int]]:
    return [{} if index == number else phase for index, phase in enumerate(phases)]


def test_what_is_right_is_given_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hand_over(JOB, outcome(), str(tmp_path / "y"), str(tmp_path / "t.json"), verify=True)
    said = capsys.readouterr()
    data = json.loads(said.out)
    assert (data["bytes_agree"], data["difference"], said.err) == (True, 0.0, "")
    assert data["emulated"] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.json", "y"]
    assert np.array_equal(np.load(tmp_path / "y"), outcome().output.reshape(1, -1).numpy())
    assert read((tmp_path / "t.json").read_text()).keys() == {"predicted", "measured"}


def test_what_is_emulated_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    for links, emulated in ((False, ["compute"]), (True, ["compute", "network"])):
        assert hand_over(replace(JOB, emulate=True, emulate_links=links), outcome(), None, None, verify=False)
        assert json.loads(capsys.readouterr().out)["emulated"] == emulated


def test_an_output_that_is_not_finite_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    given = outcome()
    assert hand_over(JOB, replace(given, output=given.output * float("nan")), None, None, verify=False)
    assert capsys.readouterr().err.startswith("iopt: the output is not finite: ")


@pytest.mark.parametrize("phase", [0, 2])
def test_bytes_that_are_not_those_predicted_fail_the_run(phase: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where a whole phase is missing."""
    assert not hand_over(JOB, outcome(phase), None, None, verify=True)
    said = capsys.readouterr()
    data = json.loads(said.out)
    assert data["bytes_agree"] is False
    (missing,) = (each for each in data["phases"] if each["bytes"]["counted"] is None)
    assert sum(map(sum, missing["bytes"]["predicted"])) == data["bytes"]["predicted"] - data["bytes"]["counted"] > 0
    assert said.err == "iopt: the bytes counted are not those predicted; this is a bug in iopt\n"


def test_an_output_that_is_not_the_networks_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(handover, "run_unsplit", lambda *given: run_unsplit(*given) + 1)
    assert hand_over(JOB, outcome(), None, None, verify=False)
    assert not hand_over(JOB, outcome(), None, None, verify=True)
    assert "off the unsplit network's" in capsys.readouterr().err


def test_an_output_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(IoptError, match="cannot be written: "):
        hand_over(JOB, outcome(), str(tmp_path), None, verify=False)


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_is_not_compared(odd: float) -> None:
    finite, other = torch.tensor([1.0, -2.0]), torch.tensor([1.0, odd])
    assert relative_difference(torch.tensor([1.0, -1.5]), finite) == 0.25
    with pytest.raises(ModelError, match="the output of the unsplit network is not finite"):
        relative_difference(other, other)
    with pytest.raises(ContradictionError, match="the output is not finite, and the unsplit network's is"):
        relative_difference(other, finite)
