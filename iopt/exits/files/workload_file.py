"""Workloads from YAML files: which early-exit networks share a cluster, and what is asked of each."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from iopt.cluster import Cluster
from iopt.cluster.file import preset_names
from iopt.door.wording import shown
from iopt.errors import ClusterError, IoptError, ModelError, OptionError
from iopt.exits.files.profile_file import load_profile, profile_names
from iopt.exits.instance import OPTIONS
from iopt.exits.observations import Profile
from iopt.exits.problem import Application, Problem

if TYPE_CHECKING:
    from iopt.exits.files.workload_schema import ApplicationEntry, WorkloadFile


@dataclass(frozen=True)
class Workload:
    """A problem with the profiles that its networks come from, one per application."""

    problem: Problem
    profiles: tuple[Profile, ...]


def is_workload(source: str | Path) -> bool:
    """Whether a file is a workload rather than a profile: YAML, and no `schema` in it. Raises `ModelError`."""
    from iopt.door.yaml_loader import read_file

    path = Path(source)
    if path.suffix.lower() not in (".yaml", ".yml"):
        return False
    data = read_file(path, ModelError)
    return not (isinstance(data, dict) and "schema" in data)


def named_files(path: str | Path) -> dict[str, str]:
    """The files that a workload names, by key. Raises `OptionError` as `load_workload` does of the file itself."""
    from iopt.door.yaml_loader import read_file

    file, folder = _validated(read_file(path, OptionError), str(path)), Path(path).parent
    networks = {f"applications[{index}].network": entry.network for index, entry in enumerate(file.applications)}
    known = {"cluster": preset_names(), **dict.fromkeys(networks, profile_names())}
    named = {"cluster": file.cluster, **networks}
    return {key: _beside(name, known[key], folder) for key, name in named.items() if name not in known[key]}


def load_workload(path: str | Path) -> Workload:
    """The workload of a YAML file. Raises `IoptError` with one line: file, key, what was expected."""
    from iopt.door.yaml_loader import read_file

    file = _validated(read_file(path, OptionError), str(path))
    folder, where = Path(path).parent, str(path)
    try:
        cluster = Cluster.load(_beside(file.cluster, preset_names(), folder))
    except IoptError as error:
        raise OptionError(f"{where}: cluster: {error}") from None
    profiles: dict[str, Profile] = {}
    applications: list[Application] = []
    used: list[Profile] = []
    for index, entry in enumerate(file.applications):
        if entry.network not in profiles:
            profiles[entry.network] = _profile(entry.network, folder, f"{where}: applications[{index}].network")
        found = list(_applications(entry, profiles[entry.network]))
        applications += found
        used += [profiles[entry.network]] * len(found)
    try:
        problem = Problem(tuple(applications), cluster, **{key: getattr(file, key) for key in OPTIONS})
    except ClusterError as error:
        raise OptionError(f"{where}: cluster: {file.cluster}: {error}") from None
    except IoptError as error:
        raise OptionError(f"{where}: {error}") from None
    return Workload(problem, tuple(used))


def _validated(data: object, where: str) -> WorkloadFile:
    from pydantic import ValidationError

    from iopt.door.validation import explain
    from iopt.exits.files.workload_schema import WorkloadFile

    if not isinstance(data, dict):
        got = "an empty file" if data is None else shown(data)
        raise OptionError(
            f"{where}: expected a mapping with the keys {', '.join(WorkloadFile.model_fields)}, got {got}"
        )
    try:
        return WorkloadFile.model_validate(data)
    except ValidationError as error:
        raise OptionError(f"{where}: {explain(error, WorkloadFile)}") from None


def _profile(name: str, folder: Path, where: str) -> Profile:
    try:
        return load_profile(_beside(name, profile_names(), folder))
    except IoptError as error:
        raise OptionError(f"{where}: {error}") from None


def _beside(name: str, presets: Collection[str], folder: Path) -> str:
    """A preset as it is; what looks like a file, as seen from the workload's folder."""
    looks_like_a_file = bool(Path(name).suffix) or Path(name).name != name or (folder / name).exists()
    return str(folder / name) if name not in presets and looks_like_a_file else name


def _applications(entry: ApplicationEntry, profile: Profile) -> Iterator[Application]:
    """One, or as many as the entry counts."""
    name = entry.name or profile.network.name
    for number in [""] if entry.count is None else [f"-{number}" for number in range(1, entry.count + 1)]:
        yield Application(profile.network, entry.accuracy, entry.latency, entry.rate, entry.source, name + number)
