"""Documents, some of them made from the code."""
