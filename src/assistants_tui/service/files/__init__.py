"""Files on their way between this machine and the server, and what is shown of them."""
