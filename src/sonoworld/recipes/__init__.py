"""Recipes that come with the install, one TOML file each."""
