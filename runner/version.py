"""The version of the code, part of every run's identity: raise it whenever a change moves numbers."""

VERSION = "0.2.0"
