"""Runs: an assistant's work on a thread, from start to end, seen alike by pollers and by stream readers.

`manager` holds all runs that this engine works on. An `executor` does one of them: it builds the prompt
(`prompt`), reads the model's turns (`turn`), runs code (`code`), and has every change stored and announced
(`run_writer` and what it is made of, `events`).
"""
