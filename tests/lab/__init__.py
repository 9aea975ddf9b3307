"""Tocsin under a real systemd, in Debian roots that are booted and thrown away."""
