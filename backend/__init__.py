"""The service, and the typed client of its API."""
