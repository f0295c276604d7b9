"""Functions that assistants may call on this machine, and the calls that runs wait for."""
