"""From a hub id, a file or the built-in generator to ready batches. `data.load.load` is the table of contents."""
