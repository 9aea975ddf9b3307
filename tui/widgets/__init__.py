"""Widgets that draw only what is seen, and know nothing of coordinators."""
