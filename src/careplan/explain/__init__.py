"""Why, why not, what if, and two plans compared."""
