"""The command line, the configuration and the client's session."""
