"""Functions that assistants may call on this machine."""
