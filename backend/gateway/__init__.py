"""The data plane: HTTP in, frames to workers out."""
