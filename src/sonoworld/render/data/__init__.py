"""Data files of the renderer."""
