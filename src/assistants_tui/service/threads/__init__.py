"""The list of threads of a profile."""
