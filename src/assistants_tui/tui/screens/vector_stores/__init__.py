"""The screen of the vector stores: what it lists, how that is drawn, and what it asks."""
