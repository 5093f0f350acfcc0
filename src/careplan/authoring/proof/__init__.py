"""Proofs about a rulebook over all patients that the request can describe, with an SMT solver."""
