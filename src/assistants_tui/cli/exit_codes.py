"""What the commands say to the shell when they end."""

OK = 0
FAILED = 1
"""The command could not do what was asked: no connection, a failed run, a file that cannot be read."""
USAGE = 2
"""The command line itself is wrong."""
NEEDS_ACTION = 3
"""`ask`: the run waits for the output of a function or a decision on code; open the thread in the app."""
INTERRUPTED = 130
READER_GONE = 141
"""Nobody reads standard output any more; shells give this code to programs that SIGPIPE ends."""
