"""Where accounts are kept, and how their passwords are hashed."""
