"""The nats executor's host against real servers, and against peers that are none."""
