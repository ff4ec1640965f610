"""Observed state: tables and migrations."""
