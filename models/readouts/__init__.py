"""Readouts: from token vectors to one vector per text. <name>.py contains the class of that name in CamelCase."""
