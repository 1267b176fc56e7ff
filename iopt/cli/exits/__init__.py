"""`iopt exits`: where the blocks of early-exit networks run."""
