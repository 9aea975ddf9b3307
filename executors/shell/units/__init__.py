"""Runs as transient units of systemd, see systemd-run(1) and org.freedesktop.systemd1(5)."""
