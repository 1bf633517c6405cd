"""The input side of a row, without its label: text or audio turned into tokens or frames."""
