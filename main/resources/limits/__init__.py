"""Counters that all workers share: of the ``limits`` library, over its storages and one of our own."""
