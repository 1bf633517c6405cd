"""From a finished run to predictions: exports, `run predict`, and a server.

This room only reads run folders; it writes nothing into them except below `export/`. Nothing here unpickles.
"""
