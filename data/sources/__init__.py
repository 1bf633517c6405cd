"""Where rows come from: the hub, local files, the built-in generator."""
