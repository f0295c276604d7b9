"""Where every file of the user lies.

Linux follows the XDG base directory specification, macOS and Windows their own customs; `platformdirs` knows
both. Nothing is created here: whoever writes a file creates its directory (see `files.private_directory`).
"""

from dataclasses import dataclass
from pathlib import Path

from platformdirs import PlatformDirs

from assistants_tui.settings import drafts, prompts

APP_NAME = "assistants-tui"


@dataclass(frozen=True)
class Paths:
    """All places on disk that the program reads or writes, apart from files that the user names."""

    config_file: Path
    """The user's own file: the program creates it once, and changes it in place at the user's wish alone."""
    themes_dir: Path
    """Themes of the user, one TOML file each."""
    data_dir: Path
    threads_file: Path
    """The thread history. The Assistants API cannot list threads, so this file is the only record of them."""
    state_file: Path
    """What the program remembers between starts; losing it loses no work."""
    cache_dir: Path
    downloads_dir: Path
    log_file: Path

    @property
    def functions_dir(self) -> Path:
        """Python files of the user whose functions assistants may call."""
        return self.config_file.parent / "functions"

    @property
    def approvals_file(self) -> Path:
        """Which functions the user allowed or forbade for good."""
        return self.state_file.with_name("approvals.toml")

    @property
    def prompts_file(self) -> Path:
        """What was sent, for the composer's up key."""
        return self.state_file.with_name(prompts.NAME)

    @property
    def drafts_dir(self) -> Path:
        """What was written and not sent, a file for each thread."""
        return self.state_file.with_name(drafts.NAME)

    @property
    def calls_log(self) -> Path:
        """One line for each function call of an assistant."""
        return self.state_file.with_name("function-calls.log")

    def engine_dir(self, profile_name: str) -> Path:
        """The data directory of the embedded engine of one profile.

        `profile_name` must be a valid profile name: letters, digits, `-` and `_` are safe in a file name.
        """
        return self.data_dir / "engines" / profile_name


def user_paths() -> Paths:
    """The paths of the current user, read from the environment now."""
    dirs = PlatformDirs(APP_NAME, appauthor=False)
    config_dir, data_dir = dirs.user_config_path, dirs.user_data_path
    return Paths(
        config_file=config_dir / "config.toml",
        themes_dir=config_dir / "themes",
        data_dir=data_dir,
        threads_file=data_dir / "threads.toml",
        state_file=dirs.user_state_path / "state.toml",
        cache_dir=dirs.user_cache_path,
        downloads_dir=dirs.user_downloads_path,
        log_file=dirs.user_log_path / "assistants-tui.log",
    )
