"""`iopt exits profile` and `run`: from a module and labelled data to a placement that is carried out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from iopt.exits.files import load_profile
from tests.cli.conftest import Iopt

pytest.importorskip("torch")

CODE = """
import torch
from iopt import zoo

print("loading")

def net():
    torch.manual_seed(0)
    return zoo.build("b-lenet")

def data():
    generator = torch.Generator().manual_seed(1)
    images, labels = torch.randn(40, 1, 28, 28, generator=generator), torch.randint(10, (40,), generator=generator)
    yield from zip(images.split(16), labels.split(16))

class Wide(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(784, 20)
        self.last = torch.nn.Linear(20, 10)
        self.early = torch.nn.Linear(20, 10)

    def forward(self, images):
        first = self.first(images.flatten(1))
        return {"early": self.early(first), "late": self.last(torch.relu(first))}
"""
PROFILE = ("exits", "profile", "mine:net", "--data", "mine:data", "--threshold", "0.99")


@pytest.fixture
def here(iopt: Iopt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iopt:
    """With a module of one's own in the current folder."""
    name = f"mine_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(CODE)

    def run(*arguments: str) -> object:
        return iopt(*(word.replace("mine:", f"{name}:") for word in arguments))

    return run  # type: ignore[return-value]


def test_from_a_module_to_a_run(here: Iopt) -> None:
    code, out, err = here(*PROFILE, "-o", "net.json", "--keep-observations", "--name", "mine")
    assert code == 0
    assert err.endswith("written to net.json\n")
    assert "measured on 40 samples by entropy, thresholds 0.99" in out
    profile = load_profile("net.json")
    assert profile.observations is not None and profile.measured is not None
    assert profile.network.name == "mine"

    accuracy = str(profile.network.exits[-1].accuracy)
    asked = ("net.json", "--tiers", "efficient-edge", "--latency", "50 ms")
    assert here("exits", "plan", *asked, "--accuracy", accuracy, "-o", "placement.json").code == 0
    code, out, _ = here("exits", "run", "placement.json", "mine:net", "--data", "mine:data", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["samples"] == 40
    assert found["accuracy"]["measured"] == pytest.approx(found["accuracy"]["predicted"])
    assert found["energy_j"]["measured"] == pytest.approx(found["energy_j"]["predicted"])
    for fraction in found["fractions"].values():
        assert fraction["measured"] == pytest.approx(fraction["predicted"])
    table = here("exits", "run", "placement.json", "mine:net", "--data", "mine:data").out
    assert "entropy, thresholds 0.99" in table
    otherwise = ("--rule", "max-probability", "--threshold", "0.5")
    table = here("exits", "run", "placement.json", "mine:net", "--data", "mine:data", *otherwise).out
    assert "max-probability, thresholds 0.5" in table

    code, out, _ = here("exits", "front", *asked, "--thresholds", "4", "--json")
    assert code == 0
    assert all(len(point["thresholds"]) == 1 for point in json.loads(out))


def test_standard_output_is_data(here: Iopt) -> None:
    code, out, err = here(*PROFILE, "--granularity", "exit")
    assert code == 0
    assert len(json.loads(out)["blocks"]) == 2
    assert "observations" not in json.loads(out)
    assert "loading" in err


def test_what_does_not_belong_together(here: Iopt) -> None:
    here(*PROFILE, "-o", "net.json")
    here(
        "exits", "plan", "net.json", "--tiers", "efficient-edge", "--accuracy", "0", "--latency", "1 s", "-o", "p.json"
    )
    wrong = {
        "the module is not the one that profile 'net' was measured on": ("p.json", "mine:Wide", "--data", "mine:data"),
        "thresholds: 2 given; expected 1": ("p.json", "mine:net", "--data", "mine:data", "--threshold", "0.1,0.2"),
        "--threshold: 'x'; expected numbers": ("p.json", "mine:net", "--data", "mine:data", "--threshold", "x"),
        "--application: 'nett' is none of net; did you mean 'net'?": (
            *("p.json", "mine:net", "--data", "mine:data", "--application", "nett"),
        ),
    }
    for message, arguments in wrong.items():
        code, out, err = here("exits", "run", *arguments)
        assert (code, out) == (2, "")
        assert err.splitlines()[-1].startswith(f"iopt: {message}")


def test_how_it_was_measured_is_asked_for_where_nobody_knows(here: Iopt) -> None:
    asked = ("b-lenet", "--tiers", "efficient-edge", "--accuracy", "0.9", "--latency", "1 s")
    assert here("exits", "plan", *asked, "-o", "p.json").code == 0
    code, _, err = here("exits", "run", "p.json", "mine:net", "--data", "mine:data")
    assert code == 2
    assert err.startswith("iopt: missing option '--rule': the network's profile does not say how it was measured")
    code, _, err = here("exits", "profile", "mine:net", "--data", "mine:data")
    assert code == 2
    assert err.startswith("iopt: missing option '--threshold'")
