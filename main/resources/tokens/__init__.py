"""Signing keys and tokens: the only place that knows JWT."""
