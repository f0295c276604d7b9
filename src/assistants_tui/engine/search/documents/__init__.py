"""Readers of documents: from the bytes of a file to its text, with marks of pages and headings.

They run in worker processes (see `workers`), because they read what strangers wrote.
"""
