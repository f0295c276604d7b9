"""Language models: one interface (`base`), any chat-completions endpoint, and the built-in offline tutor."""
