"""Executors against the real thing."""
