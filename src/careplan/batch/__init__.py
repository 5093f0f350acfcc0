"""Many patients: lines in, lines out."""
