"""Which profile the app begins with."""

from collections.abc import Sequence
from contextlib import suppress

from assistants_tui.settings.config import Config, Profile
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.state import AppState


def first_profile(
    config: Config, state: AppState, paths: Paths, *, wanted: str | None, thread_id: str | None
) -> tuple[Profile, Sequence[str]]:
    """The `wanted` profile, that of the named thread, the one used last, or the default one.

    Also returns what is to be told about that, in sentences. Blocks on the disk if a thread is named.
    """
    default = config.profiles[config.default_profile]
    if wanted is not None:
        if wanted in config.profiles:
            return config.profiles[wanted], ()
        known = ", ".join(config.profiles)
        return default, [
            f"There is no profile “{wanted}”; config.toml has: {known}. This is “{default.name}”."
        ]
    last = config.profiles.get(state.last_profile or "", default)
    if thread_id is None:
        return last, ()
    from assistants_tui.settings.threads import ThreadIndex  # not for the first frame

    index = ThreadIndex(paths.threads_file)
    owner = last
    with suppress(SettingsError):  # the workspace reports it
        places = (one for one in (last, *config.profiles.values()) if index.get(one.name, thread_id))
        owner = next(places, last)
    return owner, index.problems  # of a file that was mended, in which the workspace finds nothing wrong
