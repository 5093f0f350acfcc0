"""The rulebook: its files, its language, and what makes it fit for use."""
