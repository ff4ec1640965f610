"""Content-addressed bytes: blobs, trees, leases."""
