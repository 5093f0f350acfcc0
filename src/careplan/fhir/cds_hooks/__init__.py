"""CDS Hooks 2.0: calls in, cards out."""
