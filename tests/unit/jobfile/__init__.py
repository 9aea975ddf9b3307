"""Job files: what they may hold, and what is said of a wrong one."""
