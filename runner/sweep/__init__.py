"""Many runs as one set: finished runs are skipped, failed ones are tried again, new ones are run."""
