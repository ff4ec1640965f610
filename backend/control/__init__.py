"""Reconcilers: compare wanted with observed, act, record an event."""
