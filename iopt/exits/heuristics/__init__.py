"""Baselines: one file per published method."""
