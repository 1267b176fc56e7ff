"""Where data comes in and goes out: units, YAML and JSON, and messages about what is wrong with them."""
