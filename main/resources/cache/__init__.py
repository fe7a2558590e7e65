"""Caches: bytes by key, each for a while, one backend a file."""
