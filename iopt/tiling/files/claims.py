"""Which claims of a configuration file are not true, found by judging its configuration anew.

A bound, and that a problem is INFEASIBLE, are proved anew by the exact search, which needs no solver. What the method
says of itself, its name, run time, solver and message, is taken as stated.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from iopt.door.given import check_kind
from iopt.errors import OptionError, PlanError
from iopt.graph import Graph
from iopt.graph.file import graph_hash
from iopt.planfile.claims import data_claims, differs, objective_claims, refuse_untrue, status_claims
from iopt.result import ACCURACY, Status
from iopt.tiling.evaluation import evaluate
from iopt.tiling.files.configuration_file import UNIT, ConfigurationFile, read
from iopt.tiling.files.configuration_form import evaluation_to_dict
from iopt.tiling.instance import instance_hash
from iopt.tiling.notation import written
from iopt.tiling.objective import value
from iopt.tiling.search.exact import exact

_NAMES = {"macs": "work", "latency": "latency", "memory": "peak"}


def load(path: str | Path, graph: Graph | None = None) -> ConfigurationFile:
    """A configuration file whose claims are true. Raises `PlanError` with one line for any other.

    `graph`: the network that it has to be of, by whatever name.
    """
    file = read(path)
    if graph is not None:
        check_network(file, graph)
    refuse_untrue(path, check(file), "iopt tile check")
    return file


def check_network(file: ConfigurationFile, graph: Graph) -> None:
    """Raise `PlanError` unless the file is of this network, by whatever name."""
    check_kind(graph, Graph, "network", "iopt.load")
    own = file.problem.graph
    if graph_hash(own) != graph_hash(graph):
        raise PlanError(
            f"{file.path}: a configuration of the network {own.name!r} on an input of 1x{own.input_shape}, "
            f"not of {graph.name!r} on 1x{graph.input_shape}"
        )


def check(file: ConfigurationFile) -> list[str]:
    """Every claim that is not true: key, what the file says, what is so. Where all else is true, bound and
    infeasibility are proved anew; `PlanError` if tilings are too many for that."""
    return [*_identity(file), *_evaluation(file), *_result(file), *_space(file)] or list(_refuted(file))


def _identity(file: ConfigurationFile) -> Iterator[str]:
    claims, graph = file.claims, file.problem.graph
    yield from differs("model", claims.model, graph.name, "the embedded network is {}")
    shape = list(graph.input_shape)
    yield from differs("input_shape", list(claims.input_shape), shape, "the embedded network's is {}")
    expected = instance_hash(file.problem)
    yield from differs("instance_hash", claims.instance_hash, expected, "that of network, host and options is {}")
    if file.plan is not None:
        yield from differs("notation", claims.notation, written(file.plan), "the groups are {}")


def _evaluation(file: ConfigurationFile) -> Iterator[str]:
    if file.claims.evaluation is not None and file.evaluation is not None:
        found = evaluation_to_dict(file.problem, file.evaluation)
        yield from data_claims("evaluation", file.claims.evaluation.model_dump(), found)


def _result(file: ConfigurationFile) -> Iterator[str]:
    result, evaluation, stated = file.result, file.evaluation, file.claims.result
    objective = None if evaluation is None else float(value(file.problem, evaluation))
    what = _NAMES[file.problem.objective]
    yield from objective_claims(result, stated.gap, objective, what, UNIT)
    is_feasible = None if evaluation is None else evaluation.is_feasible
    yield from status_claims(result, is_feasible, stated.gap_tolerance, "the limits")
    yield from differs("result.gap_tolerance", stated.gap_tolerance, ACCURACY, "configurations are proved to {}")


def _space(file: ConfigurationFile) -> Iterator[str]:
    """A bound is of the space that was searched: a configuration outside it may be below, and proves nothing."""
    problem, plan = file.problem, file.plan
    if plan is None or file.result.bound is None:
        return
    if file.max_groups is not None and len(plan.groups) > file.max_groups:
        yield f"result.max_groups is {file.max_groups}; the configuration has {len(plan.groups)} groups"
    most = max(max(group.rows, group.columns) for group in plan.groups)
    if most > problem.max_tiles:
        yield f"options.max_tiles is {problem.max_tiles}; the configuration has {most}"
    if not problem.may_reuse and any(group.is_tiled and group.reuse != "none" for group in plan.groups):
        yield "options.reuse is false; the configuration has groups with reuse"


def _refuted(file: ConfigurationFile) -> Iterator[str]:
    bound, is_infeasible = file.result.bound, file.result.status is Status.INFEASIBLE
    if bound is None and not is_infeasible:
        return
    try:
        found = exact(file.problem, file.max_groups)
    except OptionError as error:
        raise PlanError(f"{file.path}: options: {error}") from None
    if found is None:
        return
    text = written(found.configuration)
    if is_infeasible:
        yield f"result.status is {file.result.status}; {text} keeps every limit"
    best = value(file.problem, evaluate(file.problem, found.configuration))
    if bound is not None and bound > best * (1 + ACCURACY):
        what = _NAMES[file.problem.objective]
        yield f"result.bound_{UNIT} is {bound}; {text} keeps every limit, and its {what} is {best}"
