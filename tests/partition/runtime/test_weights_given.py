"""Weights as users give them to a run: exported programs of those they trust, and files that must be those meant."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from iopt import inference, model, run_tensors
from iopt.door.trust import Stamp
from iopt.errors import ModelError, OptionError
from iopt.partition.methods import solve
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.partition.runtime.rank import Job, Outcome
from tests.instances import cluster
from tests.partition.runtime.faults import limited

IMAGE = torch.randn(1, 2, 6, 6, generator=torch.Generator().manual_seed(4))


class Small(nn.Sequential):
    """Two operators, with a batch norm that is folded."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(2, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 4 * 4, 3)
        )


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a `Small` that a seed makes."""
    path = tmp_path_factory.mktemp("archive") / "small.pt2"
    torch.export.save(torch.export.export(small(), (IMAGE,)), path)
    return path


def small() -> nn.Module:
    torch.manual_seed(3)
    return Small().eval()


@pytest.fixture(scope="module")
def planned(archive: Path) -> tuple[Problem, Plan]:
    problem = Problem(model.load(archive, trust=True), cluster((1.0, 2.0)))
    plan = solve(problem, "oc").plan
    assert plan is not None
    return problem, plan


def test_an_exported_program_is_read_by_the_parent_alone(
    archive: Path, planned: tuple[Problem, Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    carry_out = inference.launch

    def launch(jobs: Sequence[Job], timeout_s: float) -> list[Outcome]:
        given.extend(Path(str(job.weights)).suffix for job in jobs)
        return carry_out(jobs, timeout_s)

    monkeypatch.setattr(inference, "launch", launch)
    with limited(60):
        found = inference.run(planned[1], None, IMAGE, problem=planned[0], weights=archive, trust=True, verify=True)
    assert given == [".safetensors"]
    assert found.difference is not None
    assert found.difference < 1e-5
    with torch.no_grad():
        expected = small()(IMAGE)
    assert float((found.outputs - expected).abs().max() / expected.abs().max()) < 1e-5


def test_an_exported_program_needs_trust(archive: Path, planned: tuple[Problem, Plan], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"small.pt2: reading a .pt2 file can run code .*\(--trust\)"):
        inference.run(planned[1], problem=planned[0], weights=archive)
    broken = tmp_path / "broken.pt2"
    broken.write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(ModelError, match="is no exported program"):
        inference.run(planned[1], problem=planned[0], weights=broken, trust=True)
    with pytest.raises(ModelError, match="there is no such file"):
        inference.run(planned[1], problem=planned[0], weights=tmp_path / "none.pt2", trust=True)


def test_a_program_of_another_network_is_refused(planned: tuple[Problem, Plan], tmp_path: Path) -> None:
    other = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(64, 3)).eval()
    path = tmp_path / "other.pt2"
    torch.export.save(torch.export.export(other, (IMAGE,)), path)
    with pytest.raises(ModelError, match=r"other.pt2: 1.running_mean: missing; expected 4 in fp32, as small has it"):
        inference.run(planned[1], problem=planned[0], weights=path, trust=True)


def test_the_hash_is_of_the_file(planned: tuple[Problem, Plan], tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(dict(small().state_dict()), path)
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    with limited(60):
        for stated in (right, f"sha256:{right.upper()}"):
            found = inference.run(planned[1], problem=planned[0], weights=path, weights_hash=stated)
            assert found.bytes_agree
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(
        ModelError, match=f"w.safetensors: wrong weights: its SHA-256 is [0-9a-f]{{64}}; expected {right}"
    ):
        inference.run(planned[1], problem=planned[0], weights=path, weights_hash=right)


def test_a_wrong_hash_is_noticed_before_anything_is_unpickled(planned: tuple[Problem, Plan], tmp_path: Path) -> None:
    path = tmp_path / "other.pt2"
    path.write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(ModelError, match="wrong weights"):
        inference.run(planned[1], problem=planned[0], weights=path, trust=True, weights_hash="0" * 64)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt2"])
def test_a_file_that_changes_after_its_hash_was_checked(
    archive: Path, planned: tuple[Problem, Plan], suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal in shape and size, so that only the file itself tells."""
    path, other = tmp_path / f"w{suffix}", tmp_path / f"other{suffix}"
    for each in (path, other):
        if suffix == ".pt2":
            each.write_bytes(archive.read_bytes())
        else:
            save_file(dict(small().state_dict()), each)
    check = run_tensors.check_sha256

    def check_then_replace(path: Path, stated: str) -> Stamp:
        stamp = check(path, stated)
        other.replace(path)
        return stamp

    monkeypatch.setattr(run_tensors, "check_sha256", check_then_replace)
    stated = hashlib.sha256(path.read_bytes()).hexdigest()
    with limited(60), pytest.raises(ModelError, match=f"w{suffix}: wrong weights: the file was changed after its SHA"):
        inference.run(planned[1], problem=planned[0], weights=path, weights_hash=stated, trust=True)


@pytest.mark.parametrize(
    ("weights", "stated", "message"),
    [
        ("w.safetensors", "md5:12", "the hash of the weights is 'md5:12'; expected sha256: and 64 hexadecimal digits"),
        (None, "0" * 64, "weights_hash is given without weights"),
    ],
)
def test_a_hash_that_cannot_be_checked(
    planned: tuple[Problem, Plan], weights: str | None, stated: str, message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        inference.run(planned[1], problem=planned[0], weights=weights, weights_hash=stated)
