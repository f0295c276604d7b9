"""File search: documents become text, text becomes chunks, and questions find them. See `results.py`.

Nothing is imported here, because the worker processes import this package and must start fast and small.
"""
