"""What a row is made of before its label: text, turned into tokens."""
