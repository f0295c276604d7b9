"""What request bodies may contain, with their limits, as in the Assistants API reference.

The names are those of the `openai` package's parameter types; a test compares them.
"""
