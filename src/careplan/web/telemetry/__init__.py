"""Logs, metrics and traces. Nothing that a caller sent stands in one."""
