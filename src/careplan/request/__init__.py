"""What a caller may send, and reading it."""
