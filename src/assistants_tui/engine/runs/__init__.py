"""Runs: an assistant's work on a thread, from start to end, seen alike by pollers and by stream readers.

`runner` holds all runs that this engine works on. An `executor` does one of them: it builds the prompt
(`prompt`), reads the model's answer (`answer`), runs code (`code`), and has every change stored and announced
(`record`, `feed`).
"""
