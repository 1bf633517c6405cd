"""Readouts: from token vectors to one vector a text. <name>.py holds the class of that name in CamelCase."""
