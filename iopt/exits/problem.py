"""What is given: applications with their early-exit networks, a cluster, and the conventions that judge a plan."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NoReturn, get_args

from iopt.cluster import Cluster, LinkRate, Medium
from iopt.door.given import as_tuple, check_kind
from iopt.door.numbers import is_number, share_hint
from iopt.door.units import ENERGY_PER_BIT, POWER
from iopt.door.wording import hint, shown
from iopt.errors import ClusterError, OptionError
from iopt.exits.network import ExitNetwork

Energy = Literal["expected", "unconditional"]
Latency = Literal["worst", "expected"]

TOLERANCE = 1e-9
"""Relative tolerance of every comparison with a limit."""
ROOM = 1 + 1e-7
"""Limits are so many times as large for a solver. HiGHS 1.15 loses plans that keep a row by as little as its own
tolerance, with presolve or without; those that this lets in are excluded one by one."""


LEAST_LOAD, MOST_LOAD = 1e-9, 1e9
"""Of a device's compute rate: solvers cannot compute with what lies outside."""

MEASURE = "iopt.exits.profile measures a module, and its .network is one"
"""Where an early-exit network comes from."""


@dataclass(frozen=True)
class Application:
    """A network with what is asked of it.

    `accuracy`: at least this (0 ... 1); `latency_s`: at most this; `rate_per_s`: inferences a second, 1 where only the
    energy of an inference matters; `source`: name of the device that holds the input, None for the cluster's source.
    """

    network: ExitNetwork
    accuracy: float
    latency_s: float
    rate_per_s: float = 1.0
    source: str | None = None
    name: str = ""

    def __post_init__(self) -> None:
        check_kind(self.network, ExitNetwork, "network", "iopt.exits.load_profile", MEASURE)
        if not self.name:
            object.__setattr__(self, "name", self.network.name)
        if not isinstance(self.name, str):
            self._refuse("name", "text")
        if not isinstance(self.source, str | None):
            self._refuse("source", "the name of a device")
        if not (is_number(self.accuracy) and 0 <= self.accuracy <= 1):
            self._refuse("accuracy", f"a number from 0 to 1{share_hint(self.accuracy)}")
        for key in ("latency_s", "rate_per_s"):
            if not (is_number(getattr(self, key)) and getattr(self, key) > 0):
                self._refuse(key, "a positive number")

    def _refuse(self, key: str, expected: str) -> NoReturn:
        raise OptionError(f"application {self.name!r}: {key} is {shown(getattr(self, key))}; expected {expected}")


@dataclass(frozen=True)
class Problem:
    """Place the blocks of every application on the devices of `cluster` at least energy.

    `energy`: `expected` (samples that left early cost nothing more) or `unconditional` (every sample pays for every
    block deployed). `link_rate`: rate of a link that the cluster does not list, `min` of the sender's up and the
    receiver's down rate, or `receiver`'s down rate alone; None: as the cluster says. `latency`: `worst` (of the deepest
    exit) or `expected`.
    `pinned`: block 1 runs on the source; otherwise the raw input may be sent. `tier_order`: no block runs in a lower
    tier than the one before it. `max_load`: load of a device at most, over its compute rate (above 1: more
    than it can do). A list of applications becomes a tuple. Raises `OptionError`, and `ClusterError` for a cluster
    without what energy needs.
    """

    applications: tuple[Application, ...]
    cluster: Cluster
    energy: Energy = "expected"
    link_rate: LinkRate | Literal["min", "receiver"] | None = None
    latency: Latency = "worst"
    pinned: bool = True
    tier_order: bool = True
    max_load: float = 1.0

    def __post_init__(self) -> None:
        asks = "Application(network, accuracy, latency_s) asks something of a network"
        object.__setattr__(
            self, "applications", as_tuple(self.applications, Application, "applications", "(application,)", asks)
        )
        check_kind(self.cluster, Cluster, "cluster", "iopt.Cluster.load")
        if self.link_rate is None:
            object.__setattr__(self, "link_rate", self.cluster.network.link_rate)
        for key, known in (
            ("energy", get_args(Energy)),
            ("link_rate", tuple(LinkRate)),
            ("latency", get_args(Latency)),
        ):
            if getattr(self, key) not in known:
                expected = " or ".join(repr(str(value)) for value in known)
                raise OptionError(f"{key} is {shown(getattr(self, key))}; expected {expected}")
        object.__setattr__(self, "link_rate", LinkRate(self.link_rate or LinkRate.MIN))
        for key in ("pinned", "tier_order"):
            if not isinstance(getattr(self, key), bool):
                raise OptionError(f"{key} is {shown(getattr(self, key))}; expected True or False")
        if not (is_number(self.max_load) and LEAST_LOAD <= self.max_load <= MOST_LOAD):
            raise OptionError(f"max_load is {shown(self.max_load)}; expected {LEAST_LOAD:g} to {MOST_LOAD:g}")
        self._check_cluster()
        self._check_applications()

    def _check_cluster(self) -> None:
        where = f"cluster {self.cluster.name!r}"
        if self.cluster.network.medium is Medium.SHARED:
            raise ClusterError(
                f"{where}: network.medium is shared; exits need a switched network, with a rate per link"
            )
        for device in self.cluster.devices:
            for key, attribute, example in (
                ("power", "power_w", POWER.example),
                ("energy", "energy_per_bit_j", ENERGY_PER_BIT.example),
            ):
                if getattr(device, attribute) is None:
                    raise ClusterError(
                        f"{where}: device {device.name!r}: {key}: missing; "
                        f"expected it, such as '{example}', since energy is counted"
                    )

    def _check_applications(self) -> None:
        if not self.applications:
            raise OptionError("no application is given; expected at least one")
        names = [application.name for application in self.applications]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise OptionError(f"application names appear twice: {', '.join(twice)}")
        devices = [device.name for device in self.cluster.devices]
        for application in self.applications:
            if application.source is not None and application.source not in devices:
                near = hint(application.source, devices)
                raise OptionError(
                    f"application {application.name!r}: source: no device is named {application.source!r}{near} "
                    f"(devices: {shown(devices)[1:-1]})"
                )

    @cached_property
    def sources(self) -> tuple[int, ...]:
        """Per application the index of its source."""
        devices = [device.name for device in self.cluster.devices]
        return tuple(
            self.cluster.source if application.source is None else devices.index(application.source)
            for application in self.applications
        )
