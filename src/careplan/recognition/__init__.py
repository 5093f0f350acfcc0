"""What a name, a code or a line of a list means."""
