"""Code that is copied into every bundle: it answers texts with numpy and the standard library only."""
