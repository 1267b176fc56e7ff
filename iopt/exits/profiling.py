"""Exit fractions and accuracies of a real network on labelled samples; blocks and cut sizes from its graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import nn

from iopt.door.given import check_kind
from iopt.errors import ModelError
from iopt.exits.batches import Batch, Scores, batches, check_labels, exit_scores
from iopt.exits.blocks import Granularity, backbone
from iopt.exits.confidence import Rule, checked_rule, checked_thresholds, confidence, default_thresholds
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
    check_kind(module, nn.Module, "module")
    rule = checked_rule(rule)
    names: tuple[str, ...] = ()
    values, correct = [], []
    with in_eval_mode(module), torch.no_grad():
        for batch in batches(loader, shape):
            scores = exit_scores(module, batch)
            if names and tuple(scores) != names:
                raise ModelError(f"the network returned exits {', '.join(names)} and then {', '.join(scores)}")
            names = tuple(scores)
            seen = _observed(scores, batch, rule)
            values.append(seen[0])
            correct.append(seen[1])
    return Observations(np.concatenate(values), np.concatenate(correct), names, rule)


def profile(
    module: nn.Module,
    loader: Iterable[object],
    rule: Rule,
    thresholds: Sequence[float] | None,
    example_input: torch.Tensor,
    name: str = "network",
    granularity: Granularity = "operator",
) -> Profile:
    """The module as a network of blocks and exits, measured on the loader's samples.

    `thresholds`: one per exit but the last; None: the rule's default at each. `example_input`: of batch 1.
    `granularity`: see `iopt.exits.blocks`. Raises `ModelError` and `OptionError` with one line.
    """
    graph = import_module(module, example_input, name)
    cut = backbone(graph, granularity)
    names = [site.name for site in cut.exits]
    vector = checked_thresholds(default_thresholds(rule, names) if thresholds is None else thresholds, names)
    observations = observe(module, loader, rule, tuple(example_input.shape[1:]))
    found = observations.outcomes([vector])
    network = cut.network(name, found.fractions[0].tolist(), found.accuracies[0].tolist())
    measured = Measured(observations.rule, tuple(vector.tolist()), len(observations))
    return Profile(network, graph_hash(graph), measured, observations)


def _observed(scores: Scores, batch: Batch, rule: Rule) -> tuple[np.ndarray, np.ndarray]:
    """Confidence and correctness, [batch, exits] both."""
    arrays = [values.detach().cpu().numpy() for values in scores.values()]
    for values in scores.values():
        check_labels(batch.labels, values.shape[1], batch.loader)
    truth = batch.labels.cpu().numpy()
    right = [values.argmax(axis=1) == truth for values in arrays]
    return np.stack([confidence(values, rule) for values in arrays], axis=1), np.stack(right, axis=1)
