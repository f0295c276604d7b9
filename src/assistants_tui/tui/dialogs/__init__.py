"""Dialogs over a screen: questions, choices, viewers; and what is done by asking in them (saving a file)."""
