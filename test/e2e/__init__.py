"""The service as it is run: real processes, real sockets, and nothing of Aisle's own code imported."""
