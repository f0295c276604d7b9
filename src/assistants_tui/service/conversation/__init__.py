"""One thread as the app follows it: its messages, its runs, what is being sent, and its branches."""
