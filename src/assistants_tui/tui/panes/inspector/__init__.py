"""The inspector: what the runs of the open thread did, its files, and the raw objects."""
