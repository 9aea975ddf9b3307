"""The job editor without its screen."""
