"""Which of the ranks hang. A rank that waits for others, or that works and says so, may take as long as it needs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from iopt.partition.runtime.board import Sign

PATIENCE = timedelta(days=30)
"""How long torch waits for a message, which it does not know to be on its way: who hangs is found out here."""
START_S = 60.0
"""How long a process may take until it says anything, at least: it imports torch first."""
LONGEST_S = 1.0
"""What counts at most as having passed between two looks: whoever looks may have been stopped itself."""


class Watch:
    """Looks at signs again and again. `silent`: ranks that say nothing for `timeout_s`, neither that their work gets on
    nor, while they wait, that their process runs."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._said: dict[int, tuple[bool, int]] = {}
        self._silence_s: dict[int, float] = {}
        self._moves: dict[int, int] = {}
        self._standstill_s = 0.0

    def look(self, signs: Mapping[int, Sign], passed_s: float) -> None:
        """`signs`: of the ranks that still run; `passed_s`: since the last look."""
        passed_s = min(passed_s, LONGEST_S)
        for rank, sign in signs.items():
            said = sign.waits, sign.alive if sign.waits else sign.moves
            self._silence_s[rank] = self._silence_s[rank] + passed_s if self._said.get(rank) == said else 0.0
            self._said[rank] = said
        for rank in self._silence_s.keys() - signs.keys():
            del self._silence_s[rank], self._said[rank]
        moves = {rank: sign.moves for rank, sign in signs.items()}
        is_still = moves == self._moves and all(sign.waits for sign in signs.values())
        self._standstill_s, self._moves = self._standstill_s + passed_s if is_still else 0.0, moves

    @property
    def silent(self) -> list[int]:
        return [rank for rank, seconds in self._silence_s.items() if seconds > self._limit_s(rank)]

    @property
    def is_stuck(self) -> bool:
        """Whether all wait for each other, and have done so for `timeout_s`."""
        return self._standstill_s > self._timeout_s

    def _limit_s(self, rank: int) -> float:
        has_begun = self._said[rank] != (False, 0)
        return self._timeout_s if has_begun else max(START_S, self._timeout_s)
