"""A placement, really carried out: block after block on its device, until a sample is sure enough or at the last exit.

All devices are this one; what is real is what is computed, for whom, and which tensors pass from block to block. Scores
of one sample may differ in their last bits with the size of its batch: thresholds that equal an observed confidence can
fall either way, those of `iopt.exits.thresholds.grid` do not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import nn

from iopt.door.given import check_kind
from iopt.door.reason import raised
from iopt.door.wording import shown
from iopt.errors import IoptError, ModelError, PlanError
from iopt.exits.batches import Batch, batches, check_labels, check_scores
from iopt.exits.confidence import Floats, Rule, checked_rule, checked_thresholds, confidence, leaves
from iopt.exits.execution import Execution
from iopt.exits.match import matching_backbone
from iopt.exits.network import ExitNetwork
from iopt.exits.observations import Profile
from iopt.exits.plan import Placement
from iopt.exits.sections import Sections, sections
from iopt.importer.export import in_eval_mode, read_module


def execute(
    module: nn.Module,
    profile: ExitNetwork | Profile,
    placement: Placement,
    loader: Iterable[object],
    rule: Rule,
    thresholds: Sequence[float],
    example_input: torch.Tensor,
    source: int | None = None,
) -> Execution:
    """Run the module over the loader's batches of (inputs, labels) as `placement` says.

    Samples that leave are dropped from their batch: nothing is computed for them any more. `thresholds`: one per exit
    of the network but the last; the deepest exit deployed takes the rest. `source`: index of the device that holds the
    input, None for that of the first block. Raises `ModelError` where module and profile do not belong together,
    `PlanError` for a placement of another network, `OptionError` for rule and thresholds.
    """
    network = profile.network if isinstance(profile, Profile) else profile
    check_kind(network, ExitNetwork, "profile", "iopt.exits.load_profile")
    check_kind(placement, Placement, "placement", how="a plan has one per application in its .placements")
    check_placement(network, placement)
    rule, limits = checked_rule(rule), checked_thresholds(thresholds, [leave.name for leave in network.exits])
    imported = read_module(module, example_input, network.name)
    expected = profile.graph_hash if isinstance(profile, Profile) else None
    cut = matching_backbone(imported.graph, network, expected)
    run = _Run(network, placement, sections(imported, cut), rule, limits, source)
    with in_eval_mode(module), torch.no_grad():
        for batch in batches(loader, tuple(example_input.shape[1:])):
            run.take(batch)
    return run.execution()


def check_placement(network: ExitNetwork, placement: Placement) -> None:
    """Raise `PlanError` unless the placement has an exit of the network and a device for each block up to it."""
    exits = network.exits
    if type(placement.exit) is not int or not 0 <= placement.exit < len(exits):
        raise PlanError(f"placement: exit is {shown(placement.exit)}; expected 0 to {len(exits) - 1}")
    blocks = exits[placement.exit].after
    if not isinstance(placement.nodes, tuple | list):
        raise PlanError(f"placement: nodes are {shown(placement.nodes)}; expected a tuple of whole numbers")
    if len(placement.nodes) != blocks:
        name = exits[placement.exit].name
        raise PlanError(f"placement: {len(placement.nodes)} nodes; expected {blocks}, one per block up to {name!r}")


class _Run:
    """Counts of one run, batch after batch."""

    def __init__(
        self,
        network: ExitNetwork,
        placement: Placement,
        parts: Sections,
        rule: Rule,
        thresholds: Floats,
        source: int | None,
    ) -> None:
        self.network, self.placement, self.parts = network, placement, parts
        self.rule, self.thresholds = rule, thresholds
        self.source = placement.nodes[0] if source is None else source
        self.leaving = [0] * len(network.exits)
        self.samples, self.correct, self.loader = 0, 0, ""
        self.ops: defaultdict[int, float] = defaultdict(float)
        self.bits: defaultdict[tuple[int, int], int] = defaultdict(int)
        self.blocks: defaultdict[int, int] = defaultdict(int)
        self.tensors: defaultdict[tuple[int, int], int] = defaultdict(int)

    def take(self, batch: Batch) -> None:
        """One batch, until all of it has left. Raises `ModelError` where a part of the network does not run on it."""
        number, tensor, labels, self.loader = batch
        try:
            self._take(tensor, labels)
        except IoptError as error:
            raise type(error)(f"batch {number}: {error}") from error
        except RuntimeError as error:  # what torch raises
            raise ModelError(f"batch {number}: {self.network.name} does not run on it: {raised(error)}") from error

    def _take(self, tensor: torch.Tensor, labels: torch.Tensor) -> None:
        self.samples += len(tensor)
        node, index = self.source, 0
        for number, (device, block) in enumerate(zip(self.placement.nodes, self.network.blocks, strict=False), 1):
            if device != node:
                self.bits[node, device] += tensor.numel() * tensor.element_size() * 8
                self.tensors[node, device] += len(tensor)
            node = device
            tensor = self.parts.blocks[number - 1](tensor)
            self.ops[node] += block.ops * len(tensor)
            self.blocks[node] += len(tensor)
            if self.network.exits[index].after == number:
                staying = self._leave(index, tensor, labels)
                tensor, labels, index = tensor[staying], labels[staying], index + 1
                if not len(tensor):
                    return

    def execution(self) -> Execution:
        return Execution(
            self.samples,
            self.correct,
            tuple(self.leaving),
            dict(self.ops),
            dict(self.bits),
            dict(self.blocks),
            dict(self.tensors),
        )

    def _leave(self, index: int, tensor: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Count who leaves at an exit; the indices of those who stay."""
        name = self.network.exits[index].name
        scores = self.parts.branches[index](tensor)
        check_scores(scores, len(tensor), name)
        check_labels(labels, scores.shape[1], self.loader)
        array = scores.cpu().numpy()
        going = np.ones(len(array), dtype=bool)
        if index < self.placement.exit:
            going = leaves(confidence(array, self.rule), float(self.thresholds[index]), self.rule)
        self.leaving[index] += int(going.sum())
        self.correct += int((array.argmax(axis=1) == labels.cpu().numpy())[going].sum())
        return torch.from_numpy(np.flatnonzero(~going)).to(tensor.device)
