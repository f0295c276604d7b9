"""The environment variables of programs that run for the user: few of our own, and those that the user names.

What else stands in our environment, such as keys, is none of their business.
"""

import os
from collections.abc import Mapping

from assistants_tui.service.functions.registry import CallFailedError

_PASSED_ON = (
    *("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER"),
    # those without which programs do not start on Windows
    *("APPDATA", "COMSPEC", "HOMEDRIVE", "HOMEPATH", "LOCALAPPDATA", "PATHEXT", "PROCESSOR_ARCHITECTURE"),
    *("SYSTEMDRIVE", "SYSTEMROOT", "TEMP", "TMP", "USERNAME", "USERPROFILE"),
)


def minimal() -> dict[str, str]:
    """What every program needs: where it is, who runs it, and in which language."""
    return {name: value for name in _PASSED_ON if (value := os.environ.get(name)) is not None}


def named(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of the user's settings, those with `$` taken from our own environment.

    Raises `CallFailedError` for one that is not set.
    """
    values: dict[str, str] = {}
    for name, value in variables.items():
        if not value.startswith("$"):
            values[name] = value
        elif (found := os.environ.get(value[1:])) is not None:
            values[name] = found
        else:
            raise CallFailedError(f"The environment variable {value[1:]} is not set.")
    return values
