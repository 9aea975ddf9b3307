"""The parts of the nats executor that need no server."""
