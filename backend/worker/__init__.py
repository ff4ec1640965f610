"""Runs inside the user's environment: standard library only."""
