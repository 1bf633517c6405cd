"""Pages as single HTML files: the frame of a page, tables, charts as SVG, and the page of a run.

Nothing here needs a network, a browser's script or a drawing library; text from outside stays text.
"""
