"""Assistants as the user edits, keeps and exchanges them."""
