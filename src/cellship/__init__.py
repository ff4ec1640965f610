"""Cellship: one notebook cell becomes a live, versioned endpoint."""

from __future__ import annotations
