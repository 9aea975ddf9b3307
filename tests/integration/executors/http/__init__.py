"""The http executor's host against real servers, good and bad."""
