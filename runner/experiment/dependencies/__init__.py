"""Runs that another run needs first: its earlier stages, its encoder, its teacher."""
