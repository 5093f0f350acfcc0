"""The command line, one module an occasion."""
