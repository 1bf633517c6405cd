"""The input side of a row, without its label: text, turned into tokens."""
