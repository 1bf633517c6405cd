"""One file a compression method; none is built in yet."""
