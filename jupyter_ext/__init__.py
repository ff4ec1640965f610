"""Jupyter Server extension: the proxy and the side panel arrive with a later issue."""
