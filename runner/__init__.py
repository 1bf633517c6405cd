"""One experiment, many experiments, their comparison. `runner.cli` is the way in; nothing is imported here."""
