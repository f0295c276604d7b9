"""Connecting a provider of models: what config.toml then says."""

from pathlib import Path

from assistants_tui.settings.config_editor import append_provider, change_setting
from assistants_tui.settings.provider_settings import ProviderSettings


def connect_provider(path: Path, provider: ProviderSettings, profile_name: str) -> None:
    """Add a provider to the file at `path`, and let its default model answer in an embedded profile.

    Raises `SettingsError`; the provider may then have been added already.
    """
    append_provider(path, provider)
    if provider.default_model is not None:
        model = f"{provider.name}/{provider.default_model}"
        change_setting(path, ("profiles", profile_name, "default_model"), model)
