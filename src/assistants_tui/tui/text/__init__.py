"""Text from outside, made ready to be shown: safe, exact, escaped for Markdown, or cut."""
