"""Embeddings other than a table: <name>.py holds the class of that name in CamelCase."""
