"""The executors' parts, without a host process."""
