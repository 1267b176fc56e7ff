"""A network trained on digits: measured on a calibration split, run block by block on a held-out one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from experiments import digits
from iopt.errors import ModelError, OptionError
from iopt.exits.confidence import Rule
from iopt.exits.files import load_profile, save_profile
from iopt.exits.observations import Measured, Observations, Profile
from iopt.exits.plan import Placement
from iopt.exits.profiling import observe, profile
from iopt.exits.runtime import execute
from iopt.exits.thresholds import grid, variants
from tests.exits.test_runtime import Device

THRESHOLDS: dict[Rule, list[float]] = {"entropy": [0.05], "max-probability": [0.97]}
TRAINING, CALIBRATION, HELD_OUT = digits.splits()


@pytest.fixture(scope="module")
def network() -> nn.Module:
    """A B-LeNet, trained."""
    return digits.train(digits.network(), TRAINING)


@pytest.fixture(scope="module", params=THRESHOLDS)
def measured(network: nn.Module, request: pytest.FixtureRequest) -> Profile:
    """Its profile by either rule, on the calibration split."""
    rule: Rule = request.param
    return profile(network, CALIBRATION, rule, THRESHOLDS[rule], digits.EXAMPLE, "digits")


def run(network: nn.Module, measured: Profile, exit: int, batch: int) -> Any:
    """The profile's thresholds on the held-out split, blocks on devices 0, 0, 1, 2, 2, 2."""
    assert measured.measured is not None
    nodes = (0, 0, 1, 2, 2, 2)[: measured.network.exits[exit].after]
    split = digits.Split(HELD_OUT.images, HELD_OUT.labels, batch)
    rule, thresholds = measured.measured.rule, measured.measured.thresholds
    return execute(network, measured, Placement("digits", exit, nodes), split, rule, thresholds, digits.EXAMPLE)


def test_training_is_quick_good_and_deterministic(network: nn.Module) -> None:
    again = digits.train(digits.network(), TRAINING, epochs=1)
    same = digits.train(digits.network(), TRAINING, epochs=1)
    assert all(torch.equal(left, right) for left, right in zip(again.parameters(), same.parameters(), strict=True))
    seen = observe(network, HELD_OUT, "entropy")
    assert seen.correct.mean(axis=0).min() > 0.9


def test_what_is_measured(network: nn.Module, measured: Profile) -> None:
    assert measured.measured is not None
    rule = measured.measured.rule
    assert measured.measured == Measured(rule, tuple(THRESHOLDS[rule]), len(CALIBRATION))
    early, late = measured.network.exits
    assert 0.2 < early.fraction < 0.9
    with torch.no_grad():
        scores = network(CALIBRATION.images)
    right = {name: (values.argmax(1) == CALIBRATION.labels).double().mean().item() for name, values in scores.items()}
    assert early.accuracy == pytest.approx(right["exit-1"])
    assert late.accuracy >= early.accuracy - 0.02
    assert [leave.name for leave in measured.network.exits] == ["exit-1", "final"]


@pytest.mark.parametrize("batch", [64, 7])
@pytest.mark.parametrize("exit", [0, 1])
def test_execution_equals_the_observations_of_the_same_split(
    network: nn.Module, measured: Profile, exit: int, batch: int
) -> None:
    assert measured.measured is not None
    execution = run(network, measured, exit, batch)
    found = observe(network, HELD_OUT, measured.measured.rule).outcomes([measured.measured.thresholds])
    assert execution.samples == len(HELD_OUT)
    assert execution.accuracy == found.accuracies[0, exit]
    expected = tuple(found.fractions[0]) if exit == 1 else (1.0, 0.0)
    assert execution.fractions == expected


def test_execution_agrees_with_the_calibrated_profile(network: nn.Module, measured: Profile) -> None:
    """Within 4 standard errors of the difference of two binomial shares, p (1-p) (1/n + 1/m), p from the profile."""
    execution = run(network, measured, 1, 64)
    pairs = [(execution.accuracy, measured.network.exits[1].accuracy)]
    pairs += zip(execution.fractions, (leave.fraction for leave in measured.network.exits), strict=True)
    for seen, expected in pairs:
        error = np.sqrt(expected * (1 - expected) * (1 / len(CALIBRATION) + 1 / len(HELD_OUT)))
        assert 0 < error < 0.04
        assert abs(seen - expected) <= 4 * error


def test_what_nodes_compute_and_links_carry(network: nn.Module, measured: Profile) -> None:
    """Counts are those of the blocks times the samples that reach them."""
    execution = run(network, measured, 1, 64)
    blocks, on = measured.network.blocks, execution.samples - execution.leaving[0]
    assert 0 < on < execution.samples
    assert execution.ops_by_node == {
        0: (blocks[0].ops + blocks[1].ops) * execution.samples,
        1: blocks[2].ops * on,
        2: sum(block.ops for block in blocks[3:]) * on,
    }
    assert execution.bits_by_link == {(0, 1): blocks[1].out_bits * on, (1, 2): blocks[2].out_bits * on}


def test_measured_energy_is_the_expected_one_of_the_split(network: nn.Module, measured: Profile) -> None:
    """P/C per operation for all that reach a block, both ends' energy per bit for all that pass a cut."""
    assert measured.measured is not None
    devices = [Device("a", 11e9, 6.0, 30e-9), Device("b", 153.4e9, 140.0, 37e-9), Device("c", 312e9, 400.0, 12.6e-9)]
    thresholds = measured.measured.thresholds
    held_out = profile(network, HELD_OUT, measured.measured.rule, thresholds, digits.EXAMPLE).network
    nodes, expected = (0, 0, 1, 2, 2, 2), 0.0
    for at, (block, node, reach) in enumerate(zip(held_out.blocks, nodes, held_out.reach, strict=True)):
        expected += reach * block.ops * (devices[node].power_w or 0) / devices[node].flops_per_s
        if at and nodes[at - 1] != node:
            ends = sum(devices[end].energy_per_bit_j or 0 for end in (nodes[at - 1], node))
            expected += reach * held_out.blocks[at - 1].out_bits * ends
    assert run(network, measured, 1, 64).energy_j(devices) == pytest.approx(expected, rel=1e-12)


def test_the_profile_survives_a_file(network: nn.Module, measured: Profile, tmp_path: Any) -> None:
    save_profile(measured, tmp_path / "digits.json")
    again = load_profile(tmp_path / "digits.json")
    assert again == measured
    assert run(network, again, 1, 64) == run(network, measured, 1, 64)


def test_a_grid_of_thresholds_offers_a_choice(measured: Profile) -> None:
    assert measured.observations is not None
    found = variants(measured.network, measured.observations, grid(measured.observations, 20))
    assert len(found) > 1
    points = sorted((variant.network.exits[0].fraction, variant.network.exits[1].accuracy) for variant in found)
    assert [accuracy for _, accuracy in points] == sorted((accuracy for _, accuracy in points), reverse=True)


class Scores(nn.Module):
    """Returns what a function makes of the input, without a weight."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, images: torch.Tensor) -> Any:
        return self.function(images)


IMAGES, LABELS = torch.rand(4, 3), torch.tensor([0, 1, 2, 0])
BATCH = (IMAGES, LABELS)
TWO = Scores(lambda images: (images, images * 2))
REFUSED: dict[str, tuple[nn.Module, Any, str]] = {
    "one output": (nn.Identity(), [BATCH], "the network has one output; expected one per exit"),
    "one exit": (Scores(lambda images: {"a": images}), [BATCH], "the network has 1 exits; expected two or more"),
    "no scores": (Scores(lambda images: 3), [BATCH], "the network returns a int; expected a mapping, tuple or list"),
    "no tensor": (Scores(lambda images: (images, 3)), [BATCH], "exit 'exit-2': the network returns a int; expected"),
    "not finite": (Scores(lambda images: (images, images / 0)), [BATCH], r"exit 'exit-2': scores that are not finite"),
    "NaN": (
        Scores(lambda images: (images * float("nan"), images)),
        [BATCH],
        "exit 'exit-1': scores that are not finite",
    ),
    "a lost sample": (
        Scores(lambda images: (images, images[1:])),
        [BATCH],
        "exit 'exit-2': scores of 3x3; expected 4 x",
    ),
    "maps": (Scores(lambda images: (images[:, :, None], images)), [BATCH], "exit 'exit-1': scores of 4x3x1; expected"),
    "no run": (nn.Linear(7, 3), [BATCH], "batch 1: Linear does not run on inputs of 4x3: RuntimeError: "),
    "other exits": (
        Scores(lambda images: {"a": images, "b" if len(images) > 3 else "c": images}),
        [BATCH, (IMAGES[:2], LABELS[:2])],
        "the network returned exits a, b and then a, c",
    ),
    "no labels": (TWO, [IMAGES], r"batch 1: inputs without labels; expected \(inputs, labels\)"),
    "a list of one": (TWO, [BATCH, [IMAGES]], r"batch 2: a list of 1 entries; expected \(inputs, labels\)"),
    "labels as a list": (TWO, [(IMAGES, [0, 1, 2, 0])], "batch 1: 'Tensor' and 'list'; expected"),
    "fewer labels": (
        TWO,
        [(IMAGES, LABELS[:3])],
        "batch 1: inputs of 4x3 and labels of 3; expected one label per input",
    ),
    "soft labels": (TWO, [(IMAGES, IMAGES[:, 0])], r"batch 1: labels are torch\.float32; expected whole numbers"),
    "unknown classes": (TWO, [(IMAGES, LABELS + 1)], "the loader has labels from 1 to 3; expected classes from 0 to 2"),
    "nothing": (TWO, [], "the loader has no samples; expected batches of"),
    "empty batches": (TWO, [(IMAGES[:0], LABELS[:0])], "the loader has no samples"),
}


@pytest.mark.parametrize(("module", "loader", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(module: nn.Module, loader: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        observe(module, loader, "entropy")
    assert "\n" not in str(caught.value)


def test_options_and_inputs_are_checked(network: nn.Module) -> None:
    with pytest.raises(OptionError, match="thresholds: 2 given; expected 1"):
        profile(network, CALIBRATION, "entropy", [0.1, 0.2], digits.EXAMPLE)
    with pytest.raises(OptionError, match="rule is 'none'; expected 'entropy' or 'max-probability'"):
        profile(network, CALIBRATION, "none", [0.1], digits.EXAMPLE)  # type: ignore[arg-type]  # what is tested
    with pytest.raises(ModelError, match="batch 1: inputs of 1x9x8; expected 1x8x8, as in the example input"):
        profile(
            network, [(torch.zeros(2, 1, 9, 8), torch.zeros(2, dtype=torch.int64))], "entropy", [0.1], digits.EXAMPLE
        )
    with pytest.raises(ModelError, match="network has one output; expected a network that returns one output per exit"):
        profile(nn.Linear(3, 3), [BATCH], "entropy", [], torch.zeros(1, 3))


def test_the_module_is_left_in_training_mode() -> None:
    module = digits.network().train()
    seen = observe(module, HELD_OUT, "entropy")
    assert module.training
    assert isinstance(seen, Observations)
    assert len(seen) == len(HELD_OUT)
