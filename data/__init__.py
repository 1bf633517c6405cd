"""From a hub id, a file or the built-in generator to batches; `data.load.load_splits` is the entry point."""
