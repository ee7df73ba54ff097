"""Data that comes with the install: the demo photo."""
