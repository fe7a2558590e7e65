"""The outside things Aisle holds on to, one backend a file."""
