"""`iopt exits profile` and `run`: from a module and labelled data to a placement that is carried out."""

from __future__ import annotations

import json
import re
import shlex
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

def breaks():
    yield from list(data())[:1]
    {}["labels"]

def empty():
    return []

def unlabelled():
    return [torch.zeros(4, 1, 28, 28)]

def strange():
    return [(torch.zeros(2, 1, 28, 28), torch.tensor([3, 99]))]

def raises():
    raise RuntimeError("no file\\nat all")

def typed():
    raise TypeError("a number is needed")

def needs(path, shuffle=False):
    return path

class Sized(torch.nn.Module):
    def __init__(self, width):
        super().__init__()

class Wide(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(784, 20)
        self.last = torch.nn.Linear(20, 10)
        self.early = torch.nn.Linear(20, 10)

    def forward(self, images):
        first = self.first(images.flatten(1))
        return {"early": self.early(first), "late": self.last(torch.relu(first))}

class Reversed(Wide):
    def __init__(self):
        super().__init__()
        self.middle = torch.nn.Linear(20, 80)
        self.final = torch.nn.Linear(80, 10)

    def forward(self, images):
        first = self.first(images.flatten(1))
        return {"final": self.final(torch.relu(self.middle(first))), "early": self.early(first)}

class Picky(Wide):
    def forward(self, images):
        if images.shape[0] == 8:
            raise ValueError("a batch of 16 is needed")
        return super().forward(images)
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
    assert "measured on 40 samples by entropy, threshold 0.99\n" in out
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
    assert list(found["ops"]) and not [entry for entry in found["ops"].values() if not entry["counted"]]
    pairs = [found["accuracy"], found["energy_j"], found["latency_s"], *found["fractions"].values()]
    for pair in [*pairs, *found["ops"].values(), *found["bits"]]:
        assert pair["counted"] == pytest.approx(pair["predicted"])
    table = here("exits", "run", "placement.json", "mine:net", "--data", "mine:data").out
    assert "entropy, threshold 0.99" in table
    stated = "that mine was measured on 40 samples by entropy, threshold 0.99\n"
    assert stated in here("exits", "check", "placement.json").out
    otherwise = ("--rule", "max-probability", "--threshold", "0.5")
    table = here("exits", "run", "placement.json", "mine:net", "--data", "mine:data", *otherwise).out
    assert "max-probability, threshold 0.5" in table

    code, out, _ = here("exits", "front", *asked, "--thresholds", "4", "--json")
    assert code == 0
    assert all(len(point["thresholds"]) == 1 for point in json.loads(out))


MEASURED = {"operator": (), "exit": ("--granularity", "exit", "--input", "1x1x28x28")}
ASKED = {
    "latency": ("--latency", "50 ms"),
    "nothing": (),
    "all": (
        *("--latency", "50 ms", "--rate", "100 Hz", "--source", "edge", "--energy", "unconditional"),
        *("--link-rate", "receiver", "--expected-latency", "--unpinned", "--any-order"),
    ),
}


@pytest.mark.parametrize(
    ("measured", "asked"), [("operator", "latency"), ("exit", "all"), ("operator", "all"), ("exit", "nothing")]
)
def test_from_a_point_to_a_plan(here: Iopt, measured: str, asked: str) -> None:
    """The commands that the front ends with lead to the placement of its last line, whatever was asked."""
    assert here(*PROFILE, *MEASURED[measured], "-o", "net.json", "--keep-observations").code == 0
    asked_of = ("net.json", "--tiers", "efficient-edge", *ASKED[asked], "--thresholds", "6")
    point = json.loads(here("exits", "front", *asked_of, "--json").out)[-1]
    *_, _, profile, plan = here("exits", "front", *asked_of).out.splitlines()
    measure = shlex.split(profile.replace("MODULE", "mine:net").replace("DATA", "mine:data"))[1:]
    assert here(*measure).code == 0
    code, out, _ = here(*shlex.split(plan)[1:], "--json")
    assert code == 0
    found = json.loads(out)
    (placed,), (application,) = found["placements"], found["evaluation"]["applications"]
    assert (placed["exit"], placed["nodes"]) == (point["exit"], point["nodes"])
    assert found["result"]["objective_j"] == pytest.approx(point["energy_j"], rel=1e-9)
    for key in ("latency_s", "accuracy"):
        assert application[key] == pytest.approx(point[key], rel=1e-9)


@pytest.mark.parametrize(("rule", "threshold"), [("entropy", 0.05), ("max-probability", 0.95)])
def test_a_threshold_need_not_be_given(here: Iopt, rule: str, threshold: float) -> None:
    given = ("exits", "profile", "mine:net", "--data", "mine:data", "--rule", rule)
    said = f"measured on 40 samples by {rule}, threshold {threshold} (the default; --threshold sets others)"
    code, out, _ = here(*given, "-o", "net.json")
    assert code == 0
    assert out.splitlines()[-1] == said
    measured = load_profile("net.json").measured
    assert measured is not None
    assert measured.thresholds == (threshold,)
    code, out, err = here(*given)
    assert (code, json.loads(out)["measured"]["thresholds"]) == (0, [threshold])
    assert err.splitlines()[-1] == said


WRONG = {
    ("mine:net", "mine:breaks"): "mine:breaks: batch 2: KeyError: 'labels'",
    ("mine:net", "mine:empty"): "mine:empty has no samples; expected batches of (inputs, labels)",
    ("mine:net", "mine:unlabelled"): "mine:unlabelled: batch 1: inputs without labels; expected (inputs, labels), two",
    ("mine:net", "mine:strange"): "mine:strange has labels from 3 to 99; expected classes from 0 to 9",
    ("mine:Reversed", "mine:data"): (
        "Reversed: after first, exit 'final' does more (4,800 FLOP) than 'early', the last one (400 FLOP); "
        "expected exits in order of depth"
    ),
    ("mine:net", "mine:raises"): "mine:raises raised RuntimeError: no file",
    ("mine:net", "mine:needs"): "mine:needs needs arguments (path); expected what can be called without any",
    ("mine:raises", "mine:data"): "mine:raises raised RuntimeError: no file",
    ("mine:typed", "mine:data"): "mine:typed raised TypeError: a number is needed",
    ("mine:Sized", "mine:data"): "mine:Sized needs arguments (width); expected what can be called without any",
    (
        "mine:Picky",
        "mine:data",
    ): "batch 3: Picky does not run on inputs of 8x1x28x28: ValueError: a batch of 16",
}


@pytest.mark.parametrize(("module", "data"), WRONG)
def test_what_users_code_raises_is_named(here: Iopt, module: str, data: str) -> None:
    code, out, err = here("exits", "profile", module, "--data", data, "--input", "1x1x28x28")
    assert (code, out) == (2, "")
    said = re.sub(r"mine_\w+:", "mine:", err.splitlines()[-1])
    assert said.startswith(f"iopt: {WRONG[module, data]}")


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
    said = "iopt: p.json: the profile of 'b-lenet' has no `measured`, so nothing says when a sample leaves; give "
    assert err == f"{said}--rule and --threshold, such as --rule entropy --threshold 0.05\n"
    code, _, err = here("exits", "run", "p.json", "mine:net", "--data", "mine:data", "--rule", "max-probability")
    assert (code, err) == (2, f"{said}--threshold, such as --threshold 0.95\n")


def test_thresholds_of_another_rule_are_not_taken_over(here: Iopt) -> None:
    here(*PROFILE, "-o", "net.json")
    asked = ("net.json", "--tiers", "efficient-edge", "--accuracy", "0", "--latency", "1 s")
    assert here("exits", "plan", *asked, "-o", "p.json").code == 0
    code, _, err = here("exits", "run", "p.json", "mine:net", "--data", "mine:data", "--rule", "max-probability")
    assert code == 2
    assert err == "iopt: --rule max-probability: the thresholds were measured by entropy; give --threshold, too\n"
