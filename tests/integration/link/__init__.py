"""Real CURVE sockets on loopback."""
