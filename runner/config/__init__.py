"""From the words of a command to Settings; every mistake is reported at once."""
