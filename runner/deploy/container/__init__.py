"""The files that a bundle needs to be served from a container: a server of the standard library, a Dockerfile."""
