"""Configurations carried out in PyTorch, to the byte as the predictors say."""
