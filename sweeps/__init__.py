"""One YAML per question; `run -m +sweep=<name>` runs it."""
