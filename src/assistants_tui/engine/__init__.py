"""The embedded Assistants API v2 server: an ASGI app over a store, run executors, tools and models.

It imports nothing of the client; everything reaches it as HTTP requests.
"""
