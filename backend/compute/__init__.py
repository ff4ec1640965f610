"""Places with compute: environments and processes on this host."""
