"""From a finished run to answers: exports, predictions and a server. All of it reads run folders, none writes to them
but below `export/`; nothing here unpickles.
"""
