"""The TUI on a real link: what it shows, asks and survives."""
