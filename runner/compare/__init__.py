"""Many recorded runs as one answer: groups over seeds, tests on the same examples, fronts, claims and a report."""
