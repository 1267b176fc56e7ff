from formulations.partition import build
