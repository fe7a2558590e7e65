"""Decisions and work; knows no HTTP, no SQL and no vendor."""
