"""What the prunings of single weights share."""
