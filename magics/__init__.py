"""What a person types: the magics and the `cellship` command."""
