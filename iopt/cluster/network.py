"""The network between the devices: a switch, perhaps with links that differ, or one channel for all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from iopt.door.numbers import is_number
from iopt.door.wording import shown
from iopt.errors import ClusterError


class Charge(StrEnum):
    """What connections cost in a phase: `tau` once (they open in parallel), or once per distinct peer of the busiest
    device."""

    PHASE = "phase"
    PEER = "peer"


class Medium(StrEnum):
    """A full-duplex switch with a link per device, or one radio channel that everybody shares."""

    SWITCHED = "switched"
    SHARED = "shared"


class LinkRate(StrEnum):
    """The rate from one device to another where no link is given: the lower of the sender's up and the receiver's down
    rate, or the receiver's alone."""

    MIN = "min"
    RECEIVER = "receiver"


@dataclass(frozen=True)
class Link:
    """From one device to another, by index; the way back is a link of its own. `bytes_per_s` None: there is none."""

    sender: int
    receiver: int
    bytes_per_s: float | None


@dataclass(frozen=True)
class Network:
    """Links of the devices in their order. `up` and `down` count on a switched medium, `bandwidth` on a shared one.

    `links`: pairs of devices whose rate does not follow from `up` and `down` by the rule `link_rate`. Words such as
    `"peer"` become members of their enumerations, lists become tuples. Raises `ClusterError`.
    """

    connection_s: float
    up_bytes_per_s: tuple[float, ...] = ()
    down_bytes_per_s: tuple[float, ...] = ()
    bandwidth_bytes_per_s: float | None = None
    charge: Charge = Charge.PHASE
    medium: Medium = Medium.SWITCHED
    links: tuple[Link, ...] = ()
    link_rate: LinkRate = LinkRate.MIN

    def __post_init__(self) -> None:
        for key, words in (("charge", Charge), ("medium", Medium), ("link_rate", LinkRate)):
            object.__setattr__(self, key, self._word(key, words))
        for key, kind, expected in (
            ("up_bytes_per_s", object, "a rate per device"),
            ("down_bytes_per_s", object, "a rate per device"),
            ("links", Link, "links"),
        ):
            object.__setattr__(self, key, self._tuple(key, kind, expected))
        if not (is_number(self.connection_s) and self.connection_s >= 0):
            raise ClusterError(f"network: connection_s is {shown(self.connection_s)}; expected zero or more")
        rates = [*self.up_bytes_per_s, *self.down_bytes_per_s]
        if self.medium is Medium.SHARED:
            if self.bandwidth_bytes_per_s is None:
                raise ClusterError("network: a shared medium needs bandwidth_bytes_per_s")
            if self.links:
                raise ClusterError(f"network: a shared medium has no links; got {len(self.links)}")
            rates.append(self.bandwidth_bytes_per_s)
        rates += [link.bytes_per_s for link in self.links if link.bytes_per_s is not None]
        if any(not (is_number(rate) and rate > 0) for rate in rates):
            raise ClusterError("network: every bandwidth must be a positive number")

    def _word(self, key: str, words: type[StrEnum]) -> StrEnum:
        value = getattr(self, key)
        if not isinstance(value, str) or value not in tuple(words):
            expected = " or ".join(repr(word.value) for word in words)
            raise ClusterError(f"network: {key} is {shown(value)}; expected {expected}")
        return words(value)

    def _tuple(self, key: str, kind: type, expected: str) -> tuple[object, ...]:
        value = getattr(self, key)
        if not isinstance(value, tuple | list) or not all(isinstance(entry, kind) for entry in value):
            raise ClusterError(f"network: {key} is {shown(value)}; expected {expected}, in a tuple")
        return tuple(value)

    def check_links(self, devices: int) -> None:
        """Raises `ClusterError` unless the links are between different devices, and at most one for each pair."""
        seen: dict[tuple[int, int], int] = {}
        for index, link in enumerate(self.links):
            where, pair = f"network.links[{index}]", (link.sender, link.receiver)
            for key in ("sender", "receiver"):
                end = getattr(link, key)
                if type(end) is not int or not 0 <= end < devices:
                    raise ClusterError(f"{where}: {key} is {shown(end)}; expected 0 ... {devices - 1}")
            if link.sender == link.receiver:
                raise ClusterError(f"{where}: sender and receiver are both {link.sender}; expected two devices")
            if pair in seen:
                raise ClusterError(f"{where}: network.links[{seen[pair]}] is also from {pair[0]} to {pair[1]}")
            seen[pair] = index
