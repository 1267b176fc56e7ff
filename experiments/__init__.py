"""Experiments: one module per table or figure. `python -m experiments.NAME` runs it and writes data and page to
docs/results/."""
