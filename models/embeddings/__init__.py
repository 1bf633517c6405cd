"""Embeddings other than a plain table: <name>.py contains the class of that name in CamelCase."""
