"""Published ways to choose a configuration, each in its own space; the exact search knows them all."""
