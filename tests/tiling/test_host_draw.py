"""What a model is fitted to, and judged by, is drawn: always the same, all different, all allowed."""

from __future__ import annotations

from itertools import pairwise

import pytest

from iopt.graph import Graph
from iopt.tiling.admissible import check
from iopt.tiling.host import draw
from iopt.tiling.host.draw import divided, drawn
from iopt.tiling.plan import Configuration
from iopt.tiling.problem import Problem
from tests.instances import chain, conv, linear, max_pool
from tests.tiling.branches import branched
from tests.tiling.networks import yolov2_16

TAIL = chain("tail", (2, 12, 12), [conv(3, 3, padding=1, pooling=max_pool(2)), conv(4, 3, padding=1), linear(5)])


@pytest.mark.parametrize(("graph", "count"), [(yolov2_16(), 24), (TAIL, 24), (branched(3), 12)])
def test_all_are_different_and_allowed_and_the_first_is_untiled(graph: Graph, count: int) -> None:
    problem = Problem(graph)
    found = drawn(problem, count)
    for configuration in found:
        check(problem, configuration)
        tiled = [group.is_tiled for group in configuration.groups]
        assert (False, False) not in pairwise(tiled)
    assert len(set(found)) == len(found) == count
    assert found[0].groups[0].last == len(problem.layers) - 1 and not found[0].groups[0].is_tiled
    assert found == drawn(problem, count)
    assert found[:7] == drawn(problem, 7)
    assert found != drawn(problem, count, seed=1)


def test_what_is_drawn_of_a_chain() -> None:
    groups = [group for configuration in drawn(Problem(yolov2_16()), 60) for group in configuration.groups]
    assert {group.reuse for group in groups} == {"none", "checkerboard"}
    assert max(max(group.rows, group.columns) for group in groups) == 5
    assert 0.2 < sum(group.is_tiled for group in groups) / len(groups) < 0.9


def test_a_small_network_has_few() -> None:
    assert len(drawn(Problem(chain("point", (3, 1, 1), [linear(4)])), 24)) == 1


def test_a_space_used_up_ends_the_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Configuration] = []
    one = draw._one
    monkeypatch.setattr(draw, "_one", lambda *given: tried.append(one(*given)) or tried[-1])
    problem = Problem(chain("small", (2, 2, 2), [conv(3, 1), conv(3, 1)]))
    found = drawn(problem, 10**6)
    assert set(found[1:]) == set(tried) - {found[0]}
    assert set(tried[-draw.TRIES :]) <= set(tried[: -draw.TRIES]) | {found[0]}
    assert len(tried) < 10 * draw.TRIES


def test_one_of_four_judges() -> None:
    found = drawn(Problem(yolov2_16()), 10)
    fitted, judging = divided(found)
    assert judging == [found[3], found[7]]
    assert fitted == [each for each in found if each not in judging]
    assert divided(found[:3]) == (found[:3], [])
