"""Other ways of making a sound field, to stand beside ours: trivial ones, renderers of others, files of others."""
