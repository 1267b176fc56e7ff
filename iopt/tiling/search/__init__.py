"""Exact search: the costs of all groups as arrays, and shortest paths over cuts."""
