"""HTTP in and out: one Flask-RESTX namespace a file."""
