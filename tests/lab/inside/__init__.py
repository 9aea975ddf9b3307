"""Tests that run inside a booted machine, where systemd is PID 1."""
