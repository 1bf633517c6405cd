"""This process and this computer: threads, exclusive timing, matrix backend, optional packages."""
