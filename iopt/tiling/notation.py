"""MAFAT's notation: `5x5/8/2x2` is 5 x 5 tiles on layers 0 ... 7, a cut before layer 8, 2 x 2 on the others.

Here it takes any number of groups, `2x2/4/3x1/8/1x1`; one group is `3x3/NoCut`; a `c` after a tiling, `3x3c`, is
checkerboard reuse. Rows come first.
"""

from __future__ import annotations

import re
from itertools import pairwise

from iopt.door.given import check_count, check_kind
from iopt.door.wording import shown
from iopt.errors import PlanError
from iopt.tiling.plan import Configuration, Group

NO_CUT = "NoCut"
_TILING = re.compile(r"([1-9][0-9]{0,5})x([1-9][0-9]{0,5})(c?)")
_CUT = re.compile(r"[0-9]{1,6}")
_FORM = "tilings and cuts in turn, such as 5x5/8/2x2 or 3x3/NoCut"


def parse(text: str, layers: int) -> Configuration:
    """The configuration of a network of `layers` layers that `text` says. Raises `PlanError`."""
    check_kind(text, str, "configuration", how="such as '5x5/8/2x2'")
    check_count(layers, "layers")
    where, parts = f"configuration {shown(text)}", text.strip().split("/")
    if len(parts) == 2 and parts[1].lower() == NO_CUT.lower():
        parts = parts[:1]
    elif len(parts) % 2 == 0 or len(parts) == 1:
        raise PlanError(f"{where}: expected {_FORM}")
    cuts = [_cut(where, part, layers) for part in parts[1::2]]
    for before, after in pairwise(cuts):
        if after <= before:
            raise PlanError(f"{where}: cut {after} comes after cut {before}; expected rising cuts")
    firsts, stops = [0, *cuts], [*cuts, layers]
    return Configuration(
        tuple(_group(where, part, first, stop - 1) for part, first, stop in zip(parts[::2], firsts, stops, strict=True))
    )


def written(configuration: Configuration) -> str:
    """The configuration in the notation that `parse` reads."""
    check_kind(configuration, Configuration, "configuration")
    tilings = [
        f"{group.rows}x{group.columns}{'c' if group.reuse == 'checkerboard' else ''}" for group in configuration.groups
    ]
    if len(tilings) == 1:
        return f"{tilings[0]}/{NO_CUT}"
    text = tilings[0]
    for group, tiling in zip(configuration.groups[1:], tilings[1:], strict=True):
        text += f"/{group.first}/{tiling}"
    return text


def _cut(where: str, part: str, layers: int) -> int:
    if not _CUT.fullmatch(part):
        raise PlanError(f"{where}: {shown(part)} is no cut; expected {_FORM}")
    cut = int(part)
    if not 0 < cut < layers:
        between = f"a layer from 1 to {layers - 1}" if layers > 1 else "no cut, the network has one layer"
        raise PlanError(f"{where}: cut {cut} is out of range; expected {between}")
    return cut


def _group(where: str, part: str, first: int, last: int) -> Group:
    found = _TILING.fullmatch(part)
    if found is None:
        raise PlanError(f"{where}: {shown(part)} is no tiling; expected rows x columns, such as 2x2 or 2x2c")
    return Group(first, last, int(found[1]), int(found[2]), "checkerboard" if found[3] else "none")
