"""What the user keeps on disk: config.toml, threads.toml, state.toml, the paths of all files, and where keys come from.

Nothing here talks to a server or draws.
"""
