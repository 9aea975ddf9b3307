"""What a user can do: one table for keys, footer, help, palette, `:` commands and command lines."""
