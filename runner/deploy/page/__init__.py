"""One HTML file that answers texts without a network: `run export ID format=page`."""
