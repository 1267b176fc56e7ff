"""A host measured: seconds of layers by the size of their tiles, and what is fitted to runs of configurations."""
