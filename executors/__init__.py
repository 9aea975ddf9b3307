"""The executors that ship with Tocsin, and the process that hosts one of them."""
