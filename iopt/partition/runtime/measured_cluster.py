"""What ranks measured of themselves and of their links, as a cluster file, and how far it is to be believed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any, NamedTuple

from iopt.partition.runtime.links import LARGE, SMALL, LinkTimes
from iopt.partition.runtime.quality import Quality, doubt


class Measured(NamedTuple):
    """A device; `memory_bytes`: its part of its host's."""

    flops_per_s: float
    overhead_s: float
    memory_bytes: int
    threads: int
    quality: Quality


class MeasuredCluster(NamedTuple):
    """A device for each rank, and the links between them."""

    devices: tuple[Measured, ...]
    links: tuple[LinkTimes, ...]

    @classmethod
    def of(cls, parts: Sequence[Any]) -> MeasuredCluster:
        """Such clusters as JSON holds them, put together."""
        devices = (
            Measured._make([*values, Quality._make(quality)]) for found, _ in parts for *values, quality in found
        )
        return cls(tuple(devices), tuple(LinkTimes(*link) for _, found in parts for link in found))

    def as_yaml(self) -> str:
        """A cluster file.

        `up` and `down` of a device are the fastest of its links, `connection` half the median time of a small message
        there and back.
        """
        connection = median(link.small_s for link in self.links) / 2
        devices = (line for rank in range(len(self.devices)) for line in self._device(rank))
        scatter = _scatter(4 * SMALL, max(link.small_spread for link in self.links))
        lines = [
            "# Where times of messages scatter, the upper quartile is by so much above the lower, on the worst link.",
            "devices:",
            *devices,
            "network:",
            f"  connection: {connection * 1e3:.4g} ms{scatter}",
        ]
        return "\n".join(lines) + "\n"

    @property
    def doubt(self) -> str | None:
        """What is doubtful of its devices, in one line."""
        found = {rank: device for rank, device in enumerate(self.devices) if device.quality.is_doubtful}
        if not found:
            return None
        figures = "; ".join(f"{name_of(rank)}: {device.quality.figures}" for rank, device in found.items())
        return doubt(figures, max(device.threads for device in found.values()), "OMP_NUM_THREADS=1")

    @property
    def about_linear(self) -> str:
        """Of the device where linear layers are slowest beside what is predicted."""
        rank, device = max(enumerate(self.devices), key=lambda each: each[1].quality.linear)
        return f"{name_of(rank)}: {device.quality.about_linear}"

    def _device(self, rank: int) -> Iterator[str]:
        device = self.devices[rank]
        yield f"  - name: {name_of(rank)}"
        yield f"    # {device.quality.figures}"
        yield f"    # {device.quality.about_linear}"
        yield f"    compute: {device.flops_per_s / 1e9:.4g} GFLOP/s  # with {device.threads} of torch's threads"
        yield f"    overhead: {device.overhead_s * 1e3:.4g} ms"
        yield f"    memory: {device.memory_bytes} B"
        for key, end in (("up", "sender"), ("down", "receiver")):
            links = [link for link in self.links if getattr(link, end) == rank]
            rate = max(link.bytes_per_s for link in links)
            yield f"    {key}: {rate / 1e6:.4g} MB/s{_scatter(4 * LARGE, max(link.large_spread for link in links))}"


def name_of(rank: int) -> str:
    return f"rank-{rank}"


def _scatter(size_bytes: int, spread: float) -> str:
    return f"  # times of {size_bytes} B scatter by {100 * spread:.0f} %"
