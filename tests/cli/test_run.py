"""`iopt run` and the module that torchrun starts: tables, JSON, and refusals in one line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import iopt as package
from iopt import inference
from iopt.partition import files
from iopt.partition.runtime.execution import NOT_FINITE
from iopt.partition.runtime.random_weights import RandomWeights, random_input
from iopt.partition.runtime.unsplit import run_unsplit
from tests.cli.conftest import Iopt
from tests.partition.runtime.faults import Fault, inject, limited
from tests.partition.runtime.perfetto import read


@pytest.fixture(autouse=True)
def _ends() -> Iterator[None]:
    with limited(120):
        yield


@pytest.fixture
def plan(iopt: Iopt) -> str:
    assert iopt("plan", "net.json", "--cluster", "mixed2", "--method", "oc", "-o", "plan.json").code == 0
    return "plan.json"


def test_run_prints_what_was_counted_beside_what_was_predicted(iopt: Iopt, plan: str) -> None:
    np.save("x.npy", np.ones((1, 3, 8, 8), dtype=np.float32))
    said = iopt("run", plan, "--input", "x.npy", "--verify", "--repeat", "2", "--json", "--trace", "trace.json")
    assert said.code == 0
    predicted, measured = read(Path("trace.json").read_text()).values()
    assert {name: len(events) for name, events in predicted.items()} == {
        name: len(events) for name, events in measured.items()
    }
    assert any(predicted.values())
    assert said.err == "random weights, seed 0\n"
    data = json.loads(said.out)
    stated = json.loads(Path(plan).read_text())["evaluation"]
    assert [phase["bytes"]["counted"] for phase in data["phases"]] == [phase["bytes"] for phase in stated["phases"]]
    assert data["bytes_agree"] is True
    assert data["difference"] < 1e-5
    assert len(data["latencies_s"]) == 2
    assert data["latency_s"]["predicted"] == stated["latency_s"]
    assert all(count["predicted"] == count["counted"] for count in data["resident_bytes"].values())
    assert {name: peak["live"] for name, peak in data["peak_memory_bytes"].items()} == stated["memory_bytes"]
    assert all(peak["runtime"] == peak["measured"] > 0 for peak in data["peak_memory_bytes"].values())
    assert data["memory_as_modelled"] is True


def test_the_output_is_written_as_the_module_gives_it(iopt: Iopt, plan: str) -> None:
    """Under just the name that is given."""
    problem = files.load(plan).problem
    state = RandomWeights(problem.graph, 3).state()
    expected = run_unsplit(problem.graph, state, random_input(problem.graph, 3)[None])
    assert iopt("run", plan, "--seed", "3", "--output", "y").code == 0
    found = np.load("y")
    assert found.shape == (1, 2)
    assert np.abs(found - expected.reshape(1, 2).numpy()).max() < 1e-5 * expected.abs().max()


def test_names_that_are_not_read_are_said_in_one_line(iopt: Iopt, plan: str) -> None:
    graph = files.load(plan).problem.graph
    state = RandomWeights(graph, 0).state()
    save_file({**state, "op1.num_batches_tracked": torch.zeros(1)}, "w.safetensors")
    np.save("x.npy", np.ones((3, 8, 8)))
    asked = ("run", plan, "--weights", "w.safetensors", "--input", "x.npy", "--json")
    assert (iopt(*asked).code, iopt(*asked).err) == (0, "")
    save_file({**state, "fc9.weight": torch.zeros(1), "fc9.bias": torch.zeros(1)}, "w.safetensors")
    said = iopt(*asked)
    assert (said.code, said.err) == (0, "w.safetensors: not read by net: fc9.bias, fc9.weight\n")
    many = {f"more{number}": torch.zeros(1) for number in range(7)}
    save_file({**state, **many}, "w.safetensors")
    assert iopt(*asked).err == "w.safetensors: not read by net: more0, more1, more2, more3, more4 and 2 more\n"


def test_numbers_of_any_type_are_taken_as_they_are(iopt: Iopt, plan: str) -> None:
    """Of a picture's, which may be meant as shares of 255, that is said."""
    outputs = []
    for kind in (np.float32, np.float64, np.uint8):
        np.save("x.npy", np.full((3, 8, 8), 200, dtype=kind))
        said = iopt("run", plan, "--input", "x.npy", "--output", "y.npy", "--json")
        note = "x.npy is uint8: its values of 0 to 255 are taken as they are, not scaled\n"
        assert (said.code, said.err) == (0, "random weights, seed 0\n" + (note if kind == np.uint8 else ""))
        outputs.append(np.load("y.npy"))
    assert np.array_equal(outputs[0], outputs[1])
    assert np.array_equal(outputs[0], outputs[2])


def test_an_output_that_is_wrong_fails(iopt: Iopt, plan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "run_unsplit", lambda *given: run_unsplit(*given) + 1)
    assert iopt("run", plan, "--json").code == 0
    said = iopt("run", plan, "--verify", "--json")
    assert said.code == 1
    assert json.loads(said.out)["difference"] > 1e-4
    assert re.search(r"the output is \S+ off the unsplit network's", said.err)


@pytest.mark.parametrize("option", ["--keep-buffers", "--overlap"])
def test_run_says_where_its_memory_is_not_modelled(iopt: Iopt, plan: str, option: str) -> None:
    said = iopt("run", plan, option)
    assert said.code == 0
    assert "runtime does not model" in " ".join(said.out.split())


def test_run_says_who_was_lost(iopt: Iopt, plan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first_operator = json.loads(Path(plan).read_text())["evaluation"]["phases"][0]["operator"]
    inject(monkeypatch, Fault(2, 1, f"input into {first_operator!r}"))
    with limited(60):
        said = iopt("run", plan, "--on-failure", "replan", "--verify", "--json")
    assert said.code == 0
    name = json.loads(said.out)["devices"][0]
    (lost, how), *others = json.loads(said.out)["lost"].items()
    assert not others
    first, second = said.err.splitlines()
    assert first == f"lost {lost!r}: {how}; planned again for mixed2 without {lost}"
    assert "was ended by SIGKILL in the input into" in first
    assert second == "random weights and input, seed 0"
    assert name != lost
    assert json.loads(said.out)["difference"] < 1e-5


@pytest.mark.usefixtures("hangups_end")
@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGHUP])
def test_who_is_asked_to_end_leaves_nothing_behind(
    iopt: Iopt, plan: str, by: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(inference, "launch", lambda *given: signal.raise_signal(by))
    said = iopt("run", plan)
    assert (said.code, said.out, said.err) == (128 + by, "", "")
    assert not list(tmp_path.glob("iopt-*"))


@pytest.mark.full
def test_run_prints_tables(iopt: Iopt, plan: str) -> None:
    said = iopt("run", plan, "--verify", "--seed", "3")
    assert said.code == 0
    assert said.err == "random weights and input, seed 3\n"
    assert "bytes as predicted in all" in said.out
    assert "parameters predicted" in said.out
    assert "largest difference from the unsplit network" in said.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--weights", "none.safetensors"), "iopt: none.safetensors: cannot be read: there is no such file"),
        (
            ("--weights", "net.pth"),
            "iopt: net.pth: not a safetensors file: Error while deserializing header: header too large; write one with "
            'safetensors.torch.save_file(module.state_dict(), "weights.safetensors")',
        ),
        (("--weights", "folder"), "iopt: folder: cannot be read: it is a folder"),
        (("--weights", "net.pt2"), "iopt: net.pt2: reading a .pt2 file can run code"),
        (("--weights", "plan.json", "--weights-hash", "0" * 64), "iopt: plan.json: wrong weights: its SHA-256 is"),
        (("--input", "none.npy"), "iopt: none.npy: cannot be read: there is no such file"),
        (("--input", "plan.json"), "iopt: plan.json: not a .npy file"),
        (("--input", "folder"), "iopt: folder: cannot be read: it is a folder"),
        (("--input", "wrong.npy"), "iopt: wrong.npy is 1x3x8x9; expected 1x3x8x8, the input of net"),
        (
            ("--trace", "plan.json"),
            "iopt: plan.json: cannot be written: it is the file that PLAN names; choose another for --trace",
        ),
        (
            ("--input", "wrong.npy", "--output", "wrong.npy"),
            "iopt: wrong.npy: cannot be written: it is the file that --input names; choose another for --output",
        ),
        (("--output", "none/y.npy"), "iopt: none/y.npy: cannot be written"),
        (("--output", "folder"), "iopt: folder: cannot be written: it is a folder"),
        (("-o", "y", "--trace", "./y"), "iopt: y: cannot be written: both --output and --trace name it"),
        (("--trace", "none/x.json"), "iopt: none/x.json: cannot be written"),
        (("--overlap", "--emulate"), "iopt: --overlap: the model of the cluster that is emulated has none"),
        (("--repeat", "0"), "iopt: --repeat is 0; expected a positive whole number"),
        (("--timeout", "0"), "iopt: --timeout is 0.0; expected a positive number"),
        (("--weights-hash", "0" * 64), "iopt: --weights-hash is given without --weights; it is the hash of their file"),
    ],
)
def test_run_refuses_in_one_line(iopt: Iopt, plan: str, arguments: tuple[str, ...], message: str) -> None:
    np.save("wrong.npy", np.ones((1, 3, 8, 9)))
    Path("net.pt2").write_bytes(b"")
    Path("folder").mkdir()
    torch.save({"weight": torch.ones(2)}, "net.pth")
    said = iopt("run", plan, *arguments)
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith(message)
    assert said.err.count("\n") == 1


def test_an_output_that_is_not_finite_cannot_be_verified(iopt: Iopt, plan: str) -> None:
    np.save("nan.npy", np.full((1, 3, 8, 8), np.nan))
    said = iopt("run", plan, "--input", "nan.npy", "--verify", "--json")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("iopt: the output of the unsplit network is not finite")
    assert said.err.count("\n") == 1
    said = iopt("run", plan, "--input", "nan.npy", "--json", "--quiet")
    assert (said.code, said.err) == (0, f"iopt: {NOT_FINITE}\n")


def test_run_refuses_a_file_without_a_plan(iopt: Iopt) -> None:
    assert iopt("plan", "net.json", "--cluster", "small.yaml", "-o", "none.json").code == 3
    said = iopt("run", "none.json")
    assert (said.code, said.err) == (2, "iopt: none.json: there is no plan in it (INFEASIBLE)\n")


def torchrun(*arguments: str, ranks: int) -> subprocess.CompletedProcess[str]:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks)]
    command = [*launcher, "-m", "iopt.partition.runtime", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1])}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


@pytest.mark.full
def test_torchrun_runs_the_same_ranks(iopt: Iopt, plan: str) -> None:
    np.save("x.npy", np.ones((3, 8, 8), dtype=np.uint8))
    done = torchrun(plan, "--verify", "--repeat", "2", "--input", "x.npy", "--output", "y.npy", ranks=2)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("x.npy is uint8: ") == 1
    data = json.loads(done.stdout.splitlines()[-1])
    assert data["bytes_agree"] is True
    assert data["difference"] < 1e-5
    assert np.load("y.npy").shape == (1, 2)


@pytest.mark.full
def test_torchrun_needs_one_rank_per_device(iopt: Iopt, plan: str) -> None:
    done = torchrun(plan, ranks=1)
    assert done.returncode != 0
    assert "iopt: torchrun started 1 ranks; expected 2, one per device of the plan" in done.stderr
