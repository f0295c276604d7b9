"""What the wizard offers: every choice leads to a profile that config.toml takes."""

import pytest

from assistants_tui.service.client.endpoints import KNOWN_ENDPOINTS, FoundEndpoint
from assistants_tui.settings.config import KIND_FIELDS
from assistants_tui.settings.new_profile import new_profile
from assistants_tui.tui.screens.profile_choices import FIELDS, ProfileChoice, choices


@pytest.mark.parametrize("choice", choices([]), ids=lambda choice: choice.name)
def test_its_fields_make_a_profile(choice: ProfileChoice) -> None:
    assert set(choice.fields) <= FIELDS.keys()
    assert set(choice.fields) - {"key"} <= {*KIND_FIELDS[choice.kind]}
    address = {choice.address: "https://x.org/v1"} if choice.address else {}
    profile = new_profile(choice.name, choice.kind, {**address, **choice.texts})
    assert profile.kind == choice.kind
    if choice.address is not None:
        assert getattr(profile, choice.address) == {**address, **choice.texts}[choice.address]


def test_what_runs_comes_first_and_what_is_looked_for_says_so() -> None:
    assert {choice.about for choice in choices(None)[: len(KNOWN_ENDPOINTS)]} == {"looking…"}
    last = KNOWN_ENDPOINTS[-1]
    first, second, *_ = choices([FoundEndpoint(last.name, last.url, ("m",), last.provider)])
    assert (first.label, first.about, first.models) == (last.name, "running, 1 model", ("m",))
    assert second.about == "not found at localhost:11434/v1"
