"""The terminal interface: what the fleet does, live, and the few keys that change it."""
