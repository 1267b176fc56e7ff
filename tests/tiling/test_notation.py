"""MAFAT's notation, read and written."""

from __future__ import annotations

import pytest

from iopt.errors import PlanError
from iopt.tiling.notation import parse, written
from iopt.tiling.plan import Configuration, Group


def test_two_groups_as_in_the_paper() -> None:
    configuration = parse("5x5/8/2x2", 16)
    assert configuration == Configuration((Group(0, 7, 5, 5), Group(8, 15, 2, 2)))
    assert written(configuration) == "5x5/8/2x2"


def test_one_group() -> None:
    assert parse("3x3/NoCut", 16) == Configuration((Group(0, 15, 3, 3),))
    assert parse(" 3x4/nocut ", 1) == Configuration((Group(0, 0, 3, 4),))
    assert not parse("1x1/NoCut", 3).groups[0].is_tiled


@pytest.mark.parametrize("text", ["2x2/4/3x1/8/1x1", "2x3c/1/1x2/2/8x8c", "12x7c/NoCut"])
def test_any_number_of_groups_and_reuse(text: str) -> None:
    configuration = parse(text, 16)
    assert written(configuration) == text
    assert [group.reuse == "checkerboard" for group in configuration.groups] == [
        part.endswith("c") for part in text.removesuffix("/NoCut").split("/")[::2]
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected tilings and cuts in turn"),
        ("3x3", "expected tilings and cuts in turn"),
        ("3x3/4", "expected tilings and cuts in turn"),
        ("3x3/x/2x2", "'x' is no cut"),
        ("3x3/-4/2x2", "'-4' is no cut"),
        ("3x/4/2x2", "'3x' is no tiling; expected rows x columns"),
        ("3x3d/4/2x2", "'3x3d' is no tiling"),
        ("0x3/NoCut", "'0x3' is no tiling"),
        ("3x3/0/2x2", "cut 0 is out of range; expected a layer from 1 to 15"),
        ("3x3/16/2x2", "cut 16 is out of range; expected a layer from 1 to 15"),
        ("3x3/8/2x2/8/1x1", "cut 8 comes after cut 8; expected rising cuts"),
        ("3x3/8/2x2/4/1x1", "cut 4 comes after cut 8; expected rising cuts"),
    ],
)
def test_what_is_malformed(text: str, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse(text, 16)
    assert str(caught.value).startswith(f"configuration {text!r}: ")
    assert message in str(caught.value)


def test_a_network_of_one_layer_has_no_cut() -> None:
    with pytest.raises(PlanError, match="expected no cut, the network has one layer"):
        parse("1x1/1/1x1", 1)
