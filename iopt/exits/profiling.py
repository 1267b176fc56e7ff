"""Exit fractions and accuracies of a real network on labelled samples; blocks and cut sizes from its graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import nn

from iopt.errors import ModelError
from iopt.exits.batches import Scores, batches, check_labels, exit_scores
from iopt.exits.blocks import Granularity, backbone
from iopt.exits.confidence import Rule, checked_rule, checked_thresholds, confidence
from iopt.exits.observations import Measured, Observations, Profile
from iopt.graph.file import graph_hash
from iopt.importer.export import import_module, in_eval_mode


def observe(
    module: nn.Module, loader: Iterable[object], rule: Rule, shape: tuple[int, ...] | None = None
) -> Observations:
    """What every exit says of every sample, in eval mode; the module is left as it was.

    `loader`: batches of (inputs, labels), any iterable. `shape`: of one input, where it is to be checked. Raises
    `ModelError` that says what is wrong with a batch or with what the module returns.
    """
    rule = checked_rule(rule)
    names: tuple[str, ...] = ()
    values, correct = [], []
    with in_eval_mode(module), torch.no_grad():
        for inputs, labels in batches(loader, shape):
            scores = exit_scores(module, inputs)
            if names and tuple(scores) != names:
                raise ModelError(f"the network returned exits {', '.join(names)} and then {', '.join(scores)}")
            names = tuple(scores)
            seen = _observed(scores, labels, rule)
            values.append(seen[0])
            correct.append(seen[1])
    return Observations(np.concatenate(values), np.concatenate(correct), names, rule)


def profile(
    module: nn.Module,
    loader: Iterable[object],
    rule: Rule,
    thresholds: Sequence[float],
    example_input: torch.Tensor,
    name: str = "network",
    granularity: Granularity = "operator",
) -> Profile:
    """The module as a network of blocks and exits, measured on the loader's samples.

    `thresholds`: one per exit but the last. `example_input`: of batch 1. `granularity`: see `iopt.exits.blocks`. Raises
    `ModelError` and `OptionError` with one line.
    """
    graph = import_module(module, example_input, name)
    cut = backbone(graph, granularity)
    vector = checked_thresholds(thresholds, [site.name for site in cut.exits])
    observations = observe(module, loader, rule, tuple(example_input.shape[1:]))
    found = observations.outcomes([vector])
    network = cut.network(name, found.fractions[0].tolist(), found.accuracies[0].tolist())
    measured = Measured(observations.rule, tuple(vector.tolist()), len(observations))
    return Profile(network, graph_hash(graph), measured, observations)


def _observed(scores: Scores, labels: torch.Tensor, rule: Rule) -> tuple[np.ndarray, np.ndarray]:
    """Confidence and correctness, [batch, exits] both."""
    arrays = [values.detach().cpu().numpy() for values in scores.values()]
    for values in scores.values():
        check_labels(labels, values.shape[1])
    truth = labels.cpu().numpy()
    right = [values.argmax(axis=1) == truth for values in arrays]
    return np.stack([confidence(values, rule) for values in arrays], axis=1), np.stack(right, axis=1)
