"""Networks by hand, and tiny partition problems drawn at random: the instances of every exactness test."""

from tests.instances.at_random import batch, draw_cluster, draw_plan, draw_problem, plans, problems, tiny_problem
from tests.instances.by_hand import (
    Layer,
    adaptive_pool,
    avg_pool,
    chain,
    cluster,
    conv,
    linear,
    max_pool,
    norm,
    pool,
    rescaled,
)
from tests.instances.counting import plan_count

__all__ = [
    "Layer",
    "adaptive_pool",
    "avg_pool",
    "batch",
    "chain",
    "cluster",
    "conv",
    "draw_cluster",
    "draw_plan",
    "draw_problem",
    "linear",
    "max_pool",
    "norm",
    "plan_count",
    "plans",
    "pool",
    "problems",
    "rescaled",
    "tiny_problem",
]
