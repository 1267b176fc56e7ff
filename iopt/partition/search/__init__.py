"""Search over fixed candidate shares by dynamic programming."""

from iopt.partition.search.dp import plan_dp

__all__ = ["plan_dp"]
