"""The network as data."""

from iopt.graph.network import INPUT, Graph, Operator

__all__ = ["INPUT", "Graph", "Operator"]
