"""Segment: masks for soundings that have neither mask nor direction.

Contract: `sonoworld.backend.Segment`. Backends: `embedded` (words, stuff and things).
"""
