"""A gallery of worlds on this machine: drop a photo, watch it become a world, walk in, correct what sounds.

`gallery(folder, settings)` and `world(scene)` are the applications; `sonoworld serve` and `sonoworld view --edit` run
them. The protocol is in docs/editing.md.
"""
