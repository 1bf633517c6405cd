"""Backbones: everything between the input and the head, from word vectors to text or token vectors."""
