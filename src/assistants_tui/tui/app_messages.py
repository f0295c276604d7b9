"""Messages that mean the same wherever they come from."""

from typing import Literal

from textual.message import Message

from assistants_tui.settings.provider_settings import ProviderSettings

SettingsPage = Literal["profiles", "settings"]


class ComposerWanted(Message):
    """The user is done elsewhere and wants to write."""


class ProfileChosen(Message):
    """The user wants to go on with another profile."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class ConnectWanted(Message):
    """The user wants the models of a provider in the open profile."""

    def __init__(self, provider: ProviderSettings) -> None:
        super().__init__()
        self.provider = provider


class ConfigEdited(Message):
    """The user's config.toml may say something else now. `page` shows it, and wants to be shown again."""

    def __init__(self, page: SettingsPage, cursor: str = "") -> None:
        """`cursor` is the key of the row that was chosen."""
        super().__init__()
        self.page = page
        self.cursor = cursor
