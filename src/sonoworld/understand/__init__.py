"""Understand: what sounds in a panorama, how loud, and why.

Contract: `sonoworld.backend.Understand`. Backends: `embedded` (stuff and things seen), `given` (a file by hand).
"""
