"""What the owners of a rulebook need: trying it, comparing it, proving it, publishing it."""
