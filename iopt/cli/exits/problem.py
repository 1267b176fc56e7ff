"""What `plan`, `compare` and `front` are given, as a workload."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from iopt.cli.exits import options

if TYPE_CHECKING:
    from iopt.exits.files import Workload
    from iopt.exits.observations import Profile

NEEDED = {
    "tiers": "a preset of `iopt clusters` or a YAML file",
    "accuracy": "a number from 0 to 1, such as 0.8",
    "latency": "a time such as '5 ms'",
}
"""Options without which a network is no problem, and what each expects."""

LONGEST_S = 1e6
"""The latency limit where none is asked for."""


@dataclass(frozen=True)
class Given:
    """The options as they were typed. A workload file has all but the first in it."""

    network: options.NetworkArgument
    tiers: options.TiersOption = None
    accuracy: options.AccuracyOption = None
    latency: options.LatencyOption = None
    rate: options.RateOption = None
    source: options.SourceOption = None
    energy: options.EnergyOption = None
    link_rate: options.LinkRateOption = None
    expected_latency: options.ExpectedLatencyOption = False
    unpinned: options.UnpinnedOption = False
    any_order: options.AnyOrderOption = False

    def workload(self, needed: Collection[str] = tuple(NEEDED)) -> Workload:
        """Read the files. `needed`: options that a network has to come with. Raises `IoptError`."""
        from iopt.errors import OptionError
        from iopt.exits.files import load_profile, load_workload

        if self._is_workload():
            for option in self.typed():
                raise OptionError(f"{self.network} is a workload, which says all by itself; leave out {option}")
            return load_workload(self.network)
        profile = load_profile(self.network)
        for name in needed:
            if getattr(self, name) is None:
                raise OptionError(f"missing option '--{name}'; expected {NEEDED[name]}")
        return self._single(profile)

    def read_files(self) -> dict[str, str]:
        """What is read from disk, by what names it: nothing may be written over it. Raises `IoptError` where a workload
        cannot be read."""
        from iopt.cluster.file import preset_names
        from iopt.exits.files.workload_file import named_files

        files = {}
        if not self._is_preset():
            files["NETWORK"] = self.network
            if self._is_workload():
                files |= {f"{key} in {self.network}": name for key, name in named_files(self.network).items()}
        if self.tiers is not None and self.tiers not in preset_names():
            files["--tiers"] = self.tiers
        return files

    def typed(self) -> dict[str, str]:
        """Options other than the network that were given, each with its value; flags have an empty one."""
        given = {field.name: getattr(self, field.name) for field in fields(self)[1:]}
        return {
            f"--{name.replace('_', '-')}": "" if value is True else str(value)
            for name, value in given.items()
            if value not in (None, False)
        }

    def _is_preset(self) -> bool:
        from iopt.exits.files.profile_file import profile_names

        return self.network in profile_names()

    def _is_workload(self) -> bool:
        from iopt.exits.files.workload_file import is_workload

        return not self._is_preset() and is_workload(self.network)

    def _single(self, profile: Profile) -> Workload:
        """One application."""
        from iopt.cli.problem import quantity
        from iopt.cluster import Cluster
        from iopt.door.numbers import share_hint
        from iopt.door.units import LATENCY, RATE
        from iopt.errors import ClusterError, OptionError
        from iopt.exits.files import Workload
        from iopt.exits.problem import Application, Problem

        assert self.tiers is not None
        if self.accuracy is not None and not 0 <= self.accuracy <= 1:
            expected = f"expected a number from 0 to 1{share_hint(self.accuracy)}"
            raise OptionError(f"--accuracy: {self.accuracy:g}; {expected}")
        cluster = Cluster.load(self.tiers)
        application = Application(
            profile.network,
            0.0 if self.accuracy is None else self.accuracy,
            LONGEST_S if self.latency is None else quantity("--latency", self.latency, LATENCY),
            1.0 if self.rate is None else quantity("--rate", self.rate, RATE),
            self.source,
        )
        try:
            problem = Problem((application,), cluster, **self._conventions())
        except ClusterError as error:
            raise ClusterError(f"{self.tiers}: {error}") from None
        return Workload(problem, (profile,))

    def _conventions(self) -> Mapping[str, Any]:
        chosen = {"energy": self.energy, "link_rate": self.link_rate}
        return {
            **{key: choice.value for key, choice in chosen.items() if choice is not None},
            "latency": "expected" if self.expected_latency else "worst",
            "pinned": not self.unpinned,
            "tier_order": not self.any_order,
        }
