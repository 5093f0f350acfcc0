"""Views of a plan: each module renders the same plan in one form."""
