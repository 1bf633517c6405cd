"""Where a finished run is wrong, and why: `run errors ID` and `run compare A B --errors`."""
