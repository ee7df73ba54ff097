"""Voices: one function per class of sound, `(n, rng, mood) -> ring of n samples`, level arbitrary."""
