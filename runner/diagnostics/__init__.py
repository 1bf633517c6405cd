"""Is this installation sound: determinism, licences."""
