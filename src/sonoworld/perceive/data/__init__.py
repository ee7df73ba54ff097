"""Data files of perception."""
