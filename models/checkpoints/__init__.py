"""From a folder or the hub to a network, and back."""
