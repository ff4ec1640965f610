"""Live kernel to candidate: what a cell needs, as files. Knows no server."""
