"""The commands that look after a rulebook, one module an occasion."""
