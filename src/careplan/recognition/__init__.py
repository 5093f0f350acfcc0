"""What a name, code or goal means."""
