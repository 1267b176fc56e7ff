"""What a rank tells of its runs, as plain data that travels as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Record:
    """One inference on one rank: begin and end of every step, then for every exchange the bytes of what was sent to and
    received from each peer. Times are of one clock for all ranks."""

    times_s: list[tuple[float, float]]
    sent: list[dict[int, int]]
    received: list[dict[int, int]]


@dataclass(frozen=True)
class RankReport:
    """All inferences of a rank that were timed, and the bytes of parameters that it holds.

    `peak_bytes`: these and the most that its allocator had given out besides during an inference.
    """

    device: int
    resident_bytes: int
    peak_bytes: int
    records: list[Record]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_dict(data: dict[str, Any]) -> RankReport:
        records = [
            Record(
                [(begin, end) for begin, end in record["times_s"]],
                [_by_peer(phase) for phase in record["sent"]],
                [_by_peer(phase) for phase in record["received"]],
            )
            for record in data["records"]
        ]
        return RankReport(data["device"], data["resident_bytes"], data["peak_bytes"], records)


def _by_peer(phase: dict[str, int]) -> dict[int, int]:
    """JSON has texts as keys."""
    return {int(peer): count for peer, count in phase.items()}
