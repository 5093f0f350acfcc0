"""Measurements, each a ratio within one run, because machines differ. Nothing here is asserted."""
