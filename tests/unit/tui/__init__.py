"""The pure parts of the TUI: the view, words, actions, lines."""
