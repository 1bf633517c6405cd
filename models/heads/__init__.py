"""From vectors to outputs."""
