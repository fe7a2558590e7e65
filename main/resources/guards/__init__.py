"""Where guards keep what they know of each source."""
