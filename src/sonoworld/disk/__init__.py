"""The only package that knows file names: photos in, scene folders out and in, splat and sound files."""
