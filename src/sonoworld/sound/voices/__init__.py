"""Voices: one function per class of sound, `(n samples, manner, rng) -> one loop` of arbitrary level."""
