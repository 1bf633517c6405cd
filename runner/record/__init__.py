"""The run folder: record, points, predictions, identity."""
