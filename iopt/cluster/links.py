"""The links of a cluster file, whose ends may be groups of devices, to links between two devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from iopt.cluster import Link
from iopt.cluster.schema import DeviceEntry, LinkEntry
from iopt.door.wording import hint, shown
from iopt.errors import ClusterError

Group = tuple[int, ...]
"""Indices of devices, ascending."""


@dataclass(frozen=True)
class Ends:
    """What the ends of a link may be called, each with its devices."""

    devices: Mapping[str, Group]
    entries: Mapping[str, Group]
    tiers: Mapping[str, Group]

    @staticmethod
    def of(devices: Sequence[tuple[str, DeviceEntry]], tiers: Sequence[str]) -> Ends:
        """Of the devices by name with their entries, in order."""
        by_entry: dict[str, Group] = {}
        by_tier: dict[str, Group] = dict.fromkeys(tiers, ())
        for index, (_, entry) in enumerate(devices):
            if entry.count is not None:
                by_entry[entry.name] = (*by_entry.get(entry.name, ()), index)
            if entry.tier is not None:
                by_tier[entry.tier] += (index,)
        return Ends({name: (index,) for index, (name, _) in enumerate(devices)}, by_entry, by_tier)

    def group(self, name: str, path: str) -> Group:
        """The devices of this name. Raises `ClusterError` that begins with `path`."""
        kinds = {"a device": self.devices, "a device entry": self.entries, "a tier": self.tiers}
        found = {kind: groups[name] for kind, groups in kinds.items() if groups.get(name)}
        if len(set(found.values())) > 1:
            meanings = " and ".join(f"{kind} ({self._names(group)})" for kind, group in found.items())
            raise ClusterError(f"{path}: {name!r} is {meanings}; expected a name with one meaning")
        if not found:
            known = list(dict.fromkeys(end for groups in kinds.values() for end, group in groups.items() if group))
            problem = f"tier {name!r} has no devices" if name in self.tiers else f"no device or tier is named {name!r}"
            raise ClusterError(f"{path}: {problem}{hint(name, known)} (names: {shown(known)[1:-1]})")
        return next(iter(found.values()))

    def _names(self, group: Group) -> str:
        names = list(self.devices)
        return shown([names[index] for index in group])[1:-1]


def links(entries: Sequence[LinkEntry], ends: Ends) -> tuple[Link, ...]:
    """In the order of the devices; a later entry overrides an earlier one."""
    rates: dict[tuple[int, int], float | None] = {}
    for index, entry in enumerate(entries):
        path = f"network.links[{index}]"
        senders, receivers = ends.group(entry.sender, f"{path}.from"), ends.group(entry.receiver, f"{path}.to")
        pairs = [(sender, receiver) for sender in senders for receiver in receivers if sender != receiver]
        if not pairs:
            raise ClusterError(f"{path}.to: {entry.receiver!r} is the same device as from; expected another")
        for sender, receiver in pairs:
            rates[sender, receiver] = entry.bandwidth
            if entry.both:
                rates[receiver, sender] = entry.bandwidth
    return tuple(Link(*pair, rate) for pair, rate in sorted(rates.items()))
