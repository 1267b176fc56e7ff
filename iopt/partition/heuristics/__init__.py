"""The published methods and two baselines: each takes a `Problem` and returns a `Plan`, judged by the one evaluator."""

from iopt.partition.heuristics.coedge import plan_coedge
from iopt.partition.heuristics.iop import plan_iop
from iopt.partition.heuristics.modnn import plan_modnn
from iopt.partition.heuristics.oc import plan_oc
from iopt.partition.heuristics.single import plan_single

__all__ = ["plan_coedge", "plan_iop", "plan_modnn", "plan_oc", "plan_single"]
