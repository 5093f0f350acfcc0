"""Which rules hold, which do not, and which hang on an answer."""
