"""One module for each verb of the command `run`, with `main(words) -> exit code`; it is loaded for that verb only."""
