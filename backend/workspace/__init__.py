"""Wanted state: the git repository."""
