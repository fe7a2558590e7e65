"""Stores of tasks behind one contract: SQLite, PostgreSQL, and whatever speaks MongoDB's protocol."""
