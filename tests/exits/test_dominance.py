"""Rows that no other row makes superfluous, against the definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iopt.exits import dominance
from iopt.exits.dominance import undominated, undominated_by_earlier


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 3), st.sampled_from([1, 4, 256]))
def test_undominated_rows(seed: int, rows: int, criteria: int, chunk: int) -> None:
    values = np.random.default_rng(seed).integers(0, 4, (rows, criteria)).astype(float)
    no_more = (values[:, None] <= values).all(axis=2)  # [other, row]
    less = no_more & (values[:, None] < values).any(axis=2)
    earlier = np.arange(rows)[:, None] < np.arange(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dominance, "CHUNK", chunk)
        assert undominated(values).tolist() == np.flatnonzero(~(less | (no_more & earlier)).any(axis=0)).tolist()
        assert undominated_by_earlier(values).tolist() == np.flatnonzero(~(no_more & earlier).any(axis=0)).tolist()


def test_rounded_sums_do_not_hide_dominance() -> None:
    """The second row is better, by less than its sum can hold."""
    assert undominated(np.array([[1e6, 2e-12], [1e6, 1e-12]])).tolist() == [1]
