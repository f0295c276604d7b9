"""What the engine keeps: objects in a database, file bytes on disk.

`database.Database` opens the store. Each object has a module of its own (`threads`, `messages`, …) whose
functions take an open connection, speak wire-shaped dicts and know nothing of HTTP.
"""
