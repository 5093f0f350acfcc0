"""The HTTP service. Only this package knows HTTP."""
