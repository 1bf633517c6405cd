"""Sources of rows: the hub, local files and the built-in generator."""
