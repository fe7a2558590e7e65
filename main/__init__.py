"""Aisle: one product API over all the shops and suppliers a team works with."""

__version__ = "0.1.0"
