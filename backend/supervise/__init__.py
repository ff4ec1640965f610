"""The parent of everything on this host: standard library, no state but its children."""
