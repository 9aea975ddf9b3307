"""Keys, the log and the sleep of the poll loop, without a network."""
