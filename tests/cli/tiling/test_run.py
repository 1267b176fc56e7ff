"""`iopt tile run` and `profile`: executed and timed on this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from iopt.tiling import Problem, load_host
from iopt.tiling.executor import trial
from iopt.tiling.executor.execution import Execution
from tests.cli.conftest import Iopt
from tests.cli.tiling.conftest import DEEP

torch = pytest.importorskip("torch")

CODE = """
import torch
from torch import nn

print("loading")

def net():
    torch.manual_seed(0)
    first, last = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 4, 3, padding=1)
    return nn.Sequential(first, nn.ReLU(), nn.MaxPool2d(2), last)

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, tensor):
        return torch.relu(tensor + self.second(torch.relu(self.first(tensor))))

def residual():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.MaxPool2d(2), Block(), Block(), nn.Conv2d(8, 4, 1))

def other():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2))
"""


@pytest.fixture
def mine(tile: Iopt, tmp_path: Path) -> str:
    """Name of a module in the current folder, and `mine.json` with its network."""
    name = f"mine_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(CODE)
    return name


@pytest.fixture
def planned(tile: Iopt, mine: str) -> str:
    """`config.json` holds a configuration of `mine:net` in tiles."""
    asked = ("plan", f"{mine}:net", "--input", "1x3x24x32", "--memory", "16 KiB", "--weights", "none")
    assert tile(*asked, "-o", "config.json").code == 0
    return f"{mine}:net"


def test_a_network_with_branches(tile: Iopt, mine: str) -> None:
    asked = (f"{mine}:residual", "--input", "1x3x48x64", "--weights", "none")
    points = json.loads(tile("front", *asked, "--json").out)
    assert len(points) > 3
    limit = f"{points[0]['peak_bytes']} B"
    planned = tile("plan", *asked, "--memory", limit, "-o", "config.json")
    assert planned.code == 0
    assert tile("check", "config.json").code == 0
    found = json.loads(tile("run", "config.json", f"{mine}:residual", "--repeat", "1", "--verify", "--json").out)
    assert found["is_predicted"] and found["difference"] < 1e-5
    assert found["peak_bytes"] == points[0]["peak_bytes"] < found["untiled_bytes"]
    refused = tile("evaluate", *asked, "2x2/3/1x1")
    assert refused.code == 2
    assert "it ends inside the block of layers 2 ... 4 (2.first ... 2.add), whose branches stay" in refused.err


def test_a_run(tile: Iopt, planned: str) -> None:
    code, out, err = tile("run", "config.json", planned, "--repeat", "2", "--verify")
    assert (code, err) == (0, "")
    assert "times: 2 runs each, in turn" in out
    assert ", limit 16.00 KiB: kept\n" in out
    assert out.endswith("\nverified: output, peak, work, scratch, limit\n")
    found = json.loads(tile("run", "config.json", planned, "--repeat", "2", "--executor", "torch", "--json").out)
    assert found["executor"] == "torch"
    assert found["is_predicted"] and found["difference"] < 1e-5
    assert len(found["times_s"]) == 2
    assert found["verified"] is None
    assert found["peak_bytes"] > json.loads(Path("config.json").read_text())["evaluation"]["peak_bytes"], (
        "torch's executor needs more than lean's, which was planned for"
    )


def test_weights_that_the_plan_counts_are_added(tile: Iopt, mine: str) -> None:
    asked = ("plan", f"{mine}:net", "--input", "1x3x24x32", "--memory", "18 KiB", "-o", "config.json")
    assert tile(*asked).code == 0
    planned = json.loads(Path("config.json").read_text())
    found = json.loads(tile("run", "config.json", f"{mine}:net", "--repeat", "1", "--verify", "--json").out)
    assert found["verified"] is True and found["keeps_limit"] is True
    assert found["needed_bytes"] == planned["evaluation"]["peak_bytes"] <= found["memory_bytes"] == 18 * 2**10
    weights = found["needed_bytes"] - found["peak_bytes"]
    assert weights == 4 * (8 * 3 * 9 + 8 + 4 * 8 * 9 + 4)
    sizes = [f"{count / 2**10:.2f} KiB" for count in (found["peak_bytes"], weights, found["needed_bytes"])]
    out = tile("run", "config.json", f"{mine}:net", "--repeat", "1").out
    assert f"\n{sizes[0]} + {sizes[1]} of weights = {sizes[2]}, limit 18.00 KiB: kept\n" in out
    assert "verified" not in out


def test_an_executor_that_breaks_the_limit(tile: Iopt, planned: str) -> None:
    asked = ("run", "config.json", planned, "--repeat", "1", "--executor", "torch")
    code, out, _ = tile(*asked)
    assert code == 0
    assert ", limit 16.00 KiB: broken\n" in out
    found = json.loads(tile(*asked, "--json").out)
    assert found["needed_bytes"] > found["memory_bytes"] == 16 * 2**10 and found["keeps_limit"] is False
    code, out, err = tile(*asked, "--verify")
    assert code == 2
    assert err == (
        f"iopt: config.json: not as it should be: {found['needed_bytes']} B are needed by the executor torch, "
        f"limit {16 * 2**10} B\n"
    )
    assert "verified" not in out
    code, out, _ = tile(*asked, "--verify", "--json")
    assert code == 2 and json.loads(out)["verified"] is False


def test_verification_names_all_that_is_wrong(tile: Iopt, planned: str, monkeypatch: pytest.MonkeyPatch) -> None:
    execute = trial.execute

    def wrong(*given: object) -> Execution:
        found = execute(*given)  # type: ignore[arg-type]
        scratch = found.scratch_limit_bytes + 1
        return replace(
            found, difference=0.5, peak_bytes=found.peak_bytes + 1, macs=found.macs - 1, scratch_bytes=scratch
        )

    monkeypatch.setattr(trial, "execute", wrong)
    asked = ("run", "config.json", planned, "--repeat", "1")
    assert tile(*asked).code == 0
    code, out, err = tile(*asked, "--verify")
    assert code == 2
    assert "outputs differ by 0.5 of the largest value" in out
    assert err.count("\n") == 1
    assert (
        "iopt: config.json: not as it should be: outputs differ by 0.5 of the largest value, expected 1e-05 at " in err
    )
    assert " B; " in err and "multiply-accumulates were done, predicted " in err
    assert "; a convolution took " in err and err.endswith(" B at most\n")


def test_weights_of_a_file(tile: Iopt, iopt: Iopt) -> None:
    from iopt import zoo

    tile("evaluate", "lenet", "2x2/4/1x1", "-o", "lenet.json")
    torch.save(zoo.build("lenet", 7).state_dict(), "lenet.pt")
    asked = ("run", "lenet.json", "--repeat", "1", "--verify")
    for more in (("--weights-file", "lenet.pt"), ("--seed", "3"), ()):
        assert tile(*asked, *more).code == 0, more
    torch.save({"weight": torch.zeros(1)}, "other.pt")
    Path("text.pt").write_text("no weights")
    for name, message in (
        ("gone.pt", "gone.pt: cannot be read: there is no such file"),
        ("text.pt", "text.pt: not a state dict that torch.save wrote: "),
        ("other.pt", "other.pt: not the weights of this network: "),
    ):
        code, out, err = tile(*asked, "--weights-file", name)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(f"iopt: {message}")


def test_weights_of_a_safetensors_file_and_an_input(tile: Iopt, planned: str) -> None:
    from safetensors.torch import save_file

    from iopt import zoo

    tile("evaluate", "lenet", "2x2/4/1x1", "-o", "lenet.json")
    module = zoo.build("lenet", 7)
    save_file(module.state_dict(), "lenet.safetensors")
    shape = (1, *zoo.find("lenet").input_shape)[-4:]
    np.save("image.npy", np.full(shape, 2.0))
    np.save("small.npy", np.zeros((1, 3, 5, 5)))
    asked = ("run", "lenet.json", "--repeat", "1", "--verify")
    for more in (
        ("--weights-file", "lenet.safetensors"),
        ("--input", "image.npy"),
        ("--input", "image.npy", "--seed", "3"),
    ):
        assert tile(*asked, *more).code == 0, more
    state = module.state_dict()
    first = next(iter(state))
    save_file({name: tensor for name, tensor in state.items() if name != first}, "part.safetensors")
    save_file({**state, "more": torch.zeros(1)}, "more.safetensors")
    Path("text.safetensors").write_text("no weights")
    for option, name, message in (
        ("--weights-file", "gone.safetensors", "gone.safetensors: cannot be read: there is no such file"),
        ("--weights-file", "text.safetensors", "text.safetensors: not a safetensors file: "),
        ("--weights-file", "part.safetensors", f"part.safetensors: not the weights of this network: missing: {first}"),
        ("--weights-file", "more.safetensors", "more.safetensors: not the weights of this network: unknown: more"),
        ("--input", "gone.npy", "gone.npy: cannot be read: there is no such file"),
        ("--input", "small.npy", "small.npy is 1x3x5x5; expected 1x"),
        ("--input", "text.safetensors", "text.safetensors: not a .npy file that iopt reads: "),
    ):
        code, out, err = tile(*asked, option, name)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(f"iopt: {message}")


def test_the_input_is_what_runs(tile: Iopt, planned: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[torch.Tensor] = []
    execute = trial.execute

    def watched(module: object, image: torch.Tensor, *given: object) -> Execution:
        ran.append(image)
        return execute(module, image, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(trial, "execute", watched)
    image = np.arange(3 * 24 * 32, dtype=np.float64).reshape(3, 24, 32)
    np.save("image.npy", image)
    assert tile("run", "config.json", planned, "--repeat", "1", "--input", "image.npy", "--verify").code == 0
    assert ran[0].dtype == torch.float32 and np.array_equal(ran[0].numpy()[0], image)


def test_what_cannot_be_run(tile: Iopt, planned: str, mine: str) -> None:
    tile("plan", "deep.json", "--memory", "1 B", "-o", "none.json")
    tile("evaluate", "deep.json", "2x2/NoCut", "-o", "deep-config.json")
    other = f"{mine}:other"
    for arguments, message in (
        (("none.json",), "none.json: there is no configuration in it (INFEASIBLE)"),
        (("deep-config.json",), "deep-config.json: 'deep' is none of `iopt models`; name its code, as package.module:"),
        (("config.json", "deep"), "'deep': expected a network of `iopt models` or package.module:callable"),
        (
            ("config.json", "lenett"),
            "'lenett': expected a network of `iopt models` or package.module:callable; did ",
        ),
        (("config.json", "lenet"), "lenet does not run on an input of 1x3x24x32: "),
        (
            ("config.json", other),
            f"config.json: a configuration of the network '{planned}' on an input of 1x3x24x32",
        ),
        (("config.json", planned, "--seed", "1"), "--seed is for networks of `iopt models`; your code makes its "),
        (("config.json", planned, "--seed", "1", "--weights-file", "w.pt"), "--seed does not go with --weights-file, "),
        (("config.json", planned, "--repeat", "0"), "repeat is 0; expected a whole number, 1 or more"),
        (("gone.json", "--repeat", "0"), "repeat is 0; expected a whole number, 1 or more"),
        (("gone.json",), "gone.json: cannot be read: there is no such file"),
    ):
        code, out, err = tile("run", *arguments)
        assert (code, out) == (2, ""), arguments
        assert err.startswith(f"iopt: {message}")
        assert err.count("\n") == 1


def test_a_profile_and_a_plan_from_it(tile: Iopt, mine: str) -> None:
    asked = (f"{mine}:net", "--input", "1x3x24x32")
    code, out, err = tile("profile", *asked, "--repeat", "1", "--configurations", "5", "-o", "times.json")
    assert code == 0
    assert err == "loading\nwritten to times.json\n"
    assert out.startswith(f"{mine}:net: times of 3 layers\n")
    assert "\nbias of the predictor mafat " in out
    assert "\nfitted to 4 configurations; latency of others is off by a median of " in out
    assert out.endswith("\nfew configurations were run: with 16 or more, four or more judge\n")
    config = tile("plan", *asked, "--host", "times.json", "--objective", "latency", "--memory", "19 KiB", "--json")
    assert config.code == 0
    assert json.loads(config.out)["result"]["objective_value"] > 0
    biased = json.loads(tile("plan", *asked, "--host", "times.json", "--predictor", "mafat", "--json").out)
    assert biased["options"]["bias_bytes"] == json.loads(Path("times.json").read_text())["bias_bytes"] > 0
    few = ("--repeat", "1", "--configurations", "3")
    told = json.loads(tile("profile", *asked, *few, "--executor", "torch", "--json").out)
    assert (told["schema"], told["measured"]["executor"]) == ("iopt/tiling-host/1", "torch")
    assert (told["measured"]["median_error"], told["measured"]["worst_error"]) == (None, None)
    assert "\nfitted to 3 configurations; not judged: there were no others\n" in tile("profile", *asked, *few).out
    with pytest.raises(Exception, match="the host's times are of the network 'mine_"):
        load_host("times.json", Problem(DEEP).graph)
    code, out, err = tile("profile", *asked, "--repeat", "0")
    assert (code, out, err) == (2, "", "iopt: repeat is 0; expected a whole number, 1 or more\n")
    for option in ("repeat", "configurations"):
        code, out, err = tile("profile", "gone:net", "--input", "1x3x24x32", f"--{option}", "0")
        assert (code, out, err) == (2, "", f"iopt: {option} is 0; expected a whole number, 1 or more\n")
    code, _, err = tile("profile", f"{mine}:net")
    assert code == 2
    assert err.startswith(f"iopt: {mine}:net needs the shape of its input; give one such as --input 1x3x224x224")
