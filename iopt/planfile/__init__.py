"""What the plan files of every problem have in common: how a result is stated, and how its claims are checked."""
