"""Readouts with a file of their own: <name>.py holds the class of that name in CamelCase."""
