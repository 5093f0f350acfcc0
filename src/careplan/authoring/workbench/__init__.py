"""A local page on which owners of rules read, change and try them."""
