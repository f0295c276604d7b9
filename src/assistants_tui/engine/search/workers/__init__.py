"""Processes that do the work which must not run in the engine's own.

Readers open files of strangers: a crash, an endless loop or a hole in a parser stays in a process that has no
network, no files, little memory and little time. The indexer keeps the word index, because that is heavy work
on a whole processor. Each is a fresh interpreter, spawned when first needed, spoken to over pipes in JSON:
data that comes from a reader is never trusted with more than that.
"""
