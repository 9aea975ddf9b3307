"""Backups of a coordinator, without its process."""
