"""Keys: the user's own bindings, names of keys, and guards against keys meant for something else."""
