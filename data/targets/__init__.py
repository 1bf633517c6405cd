"""What a row is labelled with: classes, numbers, masked words."""
