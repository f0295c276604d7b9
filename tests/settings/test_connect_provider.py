"""What config.toml says once a provider of models is connected."""

from pathlib import Path

import pytest

from assistants_tui.settings.config import LOCAL
from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.connect_provider import connect_provider
from assistants_tui.settings.provider_settings import ProviderSettings


@pytest.mark.parametrize(("model", "answers"), [("llama3.2", "ollama/llama3.2"), (None, None)])
def test_the_default_model_of_a_provider_answers_in_the_profile(
    tmp_path: Path, model: str | None, answers: str | None
) -> None:
    path = tmp_path / "config.toml"
    provider = ProviderSettings("ollama", "http://localhost:11434/v1", default_model=model)
    connect_provider(path, provider, LOCAL.name)
    loaded = load_config(path)
    assert loaded.problems == ()
    assert dict(loaded.config.models) == {"ollama": provider}
    assert loaded.config.profiles[LOCAL.name].default_model == answers
