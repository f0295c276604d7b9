"""What the user keeps on disk: config.toml, threads.toml, state.toml, all paths, and where keys come from.

Nothing here talks to a server or draws.
"""
