"""From a hub id, a file or the built-in generator to ready batches; `data.load.load_splits` is the way in."""
