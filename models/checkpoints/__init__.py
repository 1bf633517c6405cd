"""Loads networks from a folder or the hub, and saves them."""
