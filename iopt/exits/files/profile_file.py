"""Profiles of early-exit networks from files, JSON or YAML, and those that come with iopt."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from iopt.door import json_file
from iopt.door.given import check_kind
from iopt.door.python_name import split_name
from iopt.door.wording import hint, shown
from iopt.errors import IoptError, ModelError
from iopt.exits.network import Block, Exit, ExitNetwork
from iopt.exits.observations import Measured, Observations, Profile

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from iopt.exits.files.profile_schema import ObservationsData, ProfileData


def load_profile(source: str | Path) -> Profile:
    """The preset of this name, or the profile of a JSON or YAML file (a `Path` is always a file).

    Raises `ModelError` with one line: file, key, what was expected.
    """
    from iopt.door.yaml_loader import read_file, read_yaml

    if not isinstance(source, str | Path):
        raise ModelError(f"profile is {shown(source)}; expected a name of a profile, or a path")
    names = profile_names()
    if isinstance(source, str) and source in names:
        return from_data(read_yaml(_preset_text(source), f"profile {source}", ModelError), f"profile {source}")
    path = Path(source)
    if isinstance(source, str) and split_name(source) and not path.exists():
        how = f"`iopt exits profile {source} --data PACKAGE.MODULE:CALLABLE -o profile.json`"
        raise ModelError(f"{source} is Python code, not a profile; measure it first: {how}")
    if isinstance(source, str) and path.name == source and not path.suffix and not path.exists():
        known = f"{hint(source, names)} (profiles: {', '.join(names)})"
        raise ModelError(f"{shown(source)}: neither a profile nor a file{known}")
    if path.suffix.lower() in (".yaml", ".yml"):
        return from_data(read_file(path, ModelError), str(path))
    return from_data(json_file.read(path, ModelError), str(path))


def save_profile(profile: Profile, path: str | Path) -> None:
    """Write a profile as JSON, whole or not at all. Raises `IoptError` where it cannot be written."""
    check_kind(profile, Profile, "profile", how="Profile(network) makes one of a network")
    json_file.write(path, to_dict(profile))


def profile_names() -> list[str]:
    """The names of the profiles that come with iopt, without reading them."""
    return sorted(entry.name.removesuffix(".yaml") for entry in _presets().iterdir() if entry.name.endswith(".yaml"))


def profile_presets() -> dict[str, str]:
    """Name and description of the profiles that come with iopt."""
    return {name: load_profile(name).description for name in profile_names()}


def to_dict(profile: Profile) -> dict[str, Any]:
    """The profile as JSON data, without what it does not have; `from_data` gives it back, equal."""
    from iopt.exits.files.profile_schema import SCHEMA

    network, observed = profile.network, profile.observations
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "name": network.name,
        "description": profile.description,
        "reconstructed": list(profile.reconstructed),
        "input_bits": network.input_bits,
        "blocks": [asdict(block) for block in network.blocks],
        "exits": [asdict(leave) for leave in network.exits],
        "graph_hash": profile.graph_hash,
        "measured": None if profile.measured is None else asdict(profile.measured),
        "observations": None if observed is None else _observations_to_dict(observed),
    }
    return {key: value for key, value in data.items() if value not in (None, "", [])}


def from_data(data: object, where: str) -> Profile:
    """The profile of `to_dict`'s data. Raises `ModelError` that begins with `where` and names the key."""
    read = _validated(data, where)
    try:
        network = ExitNetwork(
            name=read.name,
            input_bits=read.input_bits,
            blocks=tuple(Block(**block.model_dump()) for block in read.blocks),
            exits=tuple(Exit(**leave.model_dump()) for leave in read.exits),
        )
        names = tuple(leave.name for leave in network.exits)
        return Profile(
            network=network,
            graph_hash=read.graph_hash,
            measured=None if read.measured is None else measured_of(read.measured.model_dump()),
            observations=None if read.observations is None else _observations(read.observations, names),
            description=read.description,
            reconstructed=tuple(read.reconstructed),
        )
    except IoptError as error:
        raise ModelError(f"{where}: {error}") from None


def _validated(data: object, where: str) -> ProfileData:
    from iopt.door.validation import validated
    from iopt.exits.files.profile_schema import SCHEMA, ProfileData

    return validated(data, ProfileData, SCHEMA, where, ModelError)


def measured_of(data: dict[str, Any]) -> Measured:
    return Measured(data["rule"], tuple(data["thresholds"]), data["samples"])


def _observations_to_dict(observations: Observations) -> dict[str, Any]:
    confidence, correct = observations.confidence.tolist(), observations.correct.tolist()
    return {"rule": observations.rule, "confidence": confidence, "correct": correct}


def _observations(data: ObservationsData, names: tuple[str, ...]) -> Observations:
    for key in ("confidence", "correct"):
        for sample, row in enumerate(getattr(data, key)):
            if len(row) != len(names):
                expected = f"expected {len(names)}, one per exit"
                raise ModelError(f"observations.{key}[{sample}]: {len(row)} entries; {expected}")
    return Observations(np.array(data.confidence, dtype=np.float64), np.array(data.correct), names, data.rule)


def _preset_text(name: str) -> str:
    return (_presets() / f"{name}.yaml").read_text(encoding="utf-8")


def _presets() -> Traversable:
    from importlib.resources import files

    return files("iopt.exits") / "profiles"
