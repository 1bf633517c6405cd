"""From a finished run to predictions: exports, `run predict`, and a server.

This package only reads run folders, and writes nothing into them except below `export/`. Nothing here unpickles.
"""
