"""Where the key of a provider goes."""

import pytest

from assistants_tui.engine.models.provider import ModelProvider


@pytest.mark.parametrize(
    ("embeddings_url", "goes"),
    [
        (None, True),
        ("https://models.example.org/embeddings/v1", True),
        ("http://models.example.org/v1", False),  # others could read it on the way
        ("https://models.example.org:8443/v1", False),
        ("https://other.example.org/v1", False),
    ],
)
def test_the_key_goes_to_embeddings_only_at_the_same_place(embeddings_url: str | None, goes: bool) -> None:
    provider = ModelProvider("https://models.example.org/v1", api_key="k", embeddings_url=embeddings_url)
    assert provider.embeddings_key == ("k" if goes else None)
