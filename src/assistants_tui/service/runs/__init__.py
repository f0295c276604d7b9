"""Runs: their state, how they are followed to their end, what they may be told and what they cost."""
