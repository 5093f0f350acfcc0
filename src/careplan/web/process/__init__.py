"""Processes: their sockets, lives and reloads."""
