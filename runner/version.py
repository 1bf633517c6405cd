"""The release, and the version of the numbers that a run computes."""

VERSION = "0.2.0"  # of the package
NUMBERS = "0.2.0"  # part of every run's identity: raise it when a change moves the numbers of all runs
