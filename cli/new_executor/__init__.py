"""The files of a new executor's package, in which `$name` and the like are filled in."""
