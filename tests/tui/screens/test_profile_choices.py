"""What the wizard offers: every choice leads to a profile or provider that config.toml takes."""

import pytest

from assistants_tui.service.client.local_model_servers import KNOWN_ENDPOINTS, FoundEndpoint
from assistants_tui.settings.config import KIND_FIELDS
from assistants_tui.settings.new_profile import new_profile, new_provider
from assistants_tui.settings.provider_settings import ProviderSettings
from assistants_tui.settings.secrets import KeyOwner
from assistants_tui.settings.setting_fields import declared
from assistants_tui.tui.screens.profile_choices import FIELDS, ProfileChoice, choices


@pytest.mark.parametrize("choice", choices([]), ids=lambda choice: choice.name)
def test_its_fields_make_what_it_leads_to(choice: ProfileChoice) -> None:
    assert set(choice.fields) <= FIELDS.keys()
    texts = {**({choice.address: "https://x.org/v1"} if choice.address else {}), **choice.texts}
    made: KeyOwner
    if choice.kind == "provider":
        assert set(choice.fields) - {"key"} <= declared(ProviderSettings).keys()
        made = new_provider(choice.name, texts)
    else:
        assert set(choice.fields) - {"key"} <= {*KIND_FIELDS[choice.kind]}
        made = new_profile(choice.name, choice.kind, texts)
        assert made.kind == choice.kind
    assert made.address == (texts[choice.address] if choice.address else "")


def test_what_runs_comes_first_and_what_is_looked_for_says_so() -> None:
    assert {choice.about for choice in choices(None)[: len(KNOWN_ENDPOINTS)]} == {"looking…"}
    last = KNOWN_ENDPOINTS[-1]
    first, second, *_ = choices([FoundEndpoint(last.name, last.url, ("m",), last.provider)])
    assert (first.label, first.about, first.models) == (last.name, "running, 1 model", ("m",))
    assert second.about == "not found at localhost:11434/v1"
