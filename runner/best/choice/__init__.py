"""The choice at the end of a search: who wins, what choosing cost, and what is printed."""
