"""Draft care plans for ketamine clinics."""
