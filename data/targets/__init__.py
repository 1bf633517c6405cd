"""Labels of a row: classes, numbers, masked words."""
