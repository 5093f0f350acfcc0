"""The draft plan: its parts, its words, and putting them together."""
