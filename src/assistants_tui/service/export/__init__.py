"""A thread as a document: Markdown, JSON, HTML."""
