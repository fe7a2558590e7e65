"""Shop APIs: one small file per API shape."""
