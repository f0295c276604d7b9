"""The history of a conversation in the forms that strict servers accept."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.engine.models.accepted_history import ModelProfile, adapted, refused
from assistants_tui.protocol.objects import Json

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}, "name": "harbour.png"}
TEXTS = st.sampled_from(["", " \n", "Hello", "What is this?"])


def spoken(role: str) -> st.SearchStrategy[Json]:
    return TEXTS.map(lambda text: {"role": role, "content": text})


PICTURE = TEXTS.map(lambda text: {"role": "user", "content": [{"type": "text", "text": text}, IMAGE]})
HISTORY = st.lists(st.one_of(spoken("user"), spoken("assistant"), PICTURE), max_size=6)


@st.composite
def rounds(draw: st.DrawFn) -> list[Json]:
    """A turn with calls and the results that follow it."""
    calls = [
        {
            "id": f"call_{index}",
            "type": "function",
            "function": {"name": "tide", "arguments": arguments},
            **draw(st.sampled_from([{}, {"extra_content": {"google": {"thought_signature": "s"}}}])),
        }
        for index, arguments in enumerate(
            draw(st.lists(st.sampled_from(["", "{", "null", "{}"]), min_size=1))
        )
    ]
    told = [{"role": "tool", "tool_call_id": call["id"], "content": draw(TEXTS)} for call in calls]
    returned = draw(st.sampled_from([{}, {"reasoning_content": "Hm."}]))
    content = draw(st.sampled_from([None, "I look."]))
    return [{"role": "assistant", "content": content, "tool_calls": calls, **returned}, *told]


PROMPTS = st.tuples(
    st.sampled_from([[], [{"role": "system", "content": "Be brief."}]]),
    HISTORY,
    st.lists(rounds(), max_size=3),
).map(lambda parts: [*parts[0], *parts[1], *(turn for made in parts[2] for turn in made)])
PROFILES = st.builds(ModelProfile, *([st.booleans()] * 6))


def objection(messages: list[Json], profile: ModelProfile) -> str | None:
    """What a server that is as strict as the profile says would refuse."""
    calls = [call for message in messages for call in message.get("tool_calls", ())]
    for message in messages:
        content: Any = message["content"]
        if content is None and not ("tool_calls" in message and profile.null_content):
            return "null"
        if not (content or "tool_calls" in message) or (isinstance(content, str) and content.isspace()):
            return "an empty turn"
        if isinstance(content, list) and not all(part.get("text", "x").strip() for part in content):
            return "an empty part"
        if isinstance(content, list) and not profile.images:
            return "an image"
        fields = {"role", "content", "tool_calls", "tool_call_id"}
        if not profile.returned_fields and not message.keys() <= fields:
            return "an extra field"
    if not profile.returned_fields and any("extra_content" in call for call in calls):
        return "an extra field of a call"
    if not all(isinstance(json.loads(call["function"]["arguments"]), dict) for call in calls):
        return "arguments"
    if not profile.tools and (calls or any(message["role"] == "tool" for message in messages)):
        return "tools"
    roles = [message["role"] for message in messages]
    if not profile.system_role and "system" in roles:
        return "a system message"
    if not profile.any_order and messages:
        rest = [role for role in roles if role != "system"]
        if roles.count("system") != (roles[0] == "system") or rest[0] != "user" or rest[-1] == "assistant":
            return "the order"
        allowed = {
            ("user", "assistant"),
            ("assistant", "user"),
            ("assistant", "tool"),
            ("tool", "tool"),
            ("tool", "assistant"),
        }
        if not set(pairwise(rest)) <= allowed:
            return "the order"
    return None


@given(PROMPTS, PROFILES)
def test_any_history_is_accepted_by_any_model(messages: list[Json], profile: ModelProfile) -> None:
    before = json.dumps(messages)
    assert objection(adapted(messages, profile), profile) is None
    assert json.dumps(messages) == before


@given(PROMPTS)
def test_what_was_said_is_still_there(messages: list[Json]) -> None:
    told = json.dumps(adapted(messages, ModelProfile(False, False, False, False, False, False)))
    for text in ("Hello", "What is this?", "Be brief.", "I look."):
        assert told.count(text) == json.dumps(messages).count(text)


@pytest.mark.parametrize(
    ("message", "what"),
    [
        ("registry.ollama.ai/library/gemma3:4b does not support tools", "tools"),
        ("This model does not support image input", "images"),
        ("unknown variant `image_url`, expected `text`", "images"),
        ("image input is not supported - hint: you may need to provide the mmproj", "images"),
        ("System role not supported", "system_role"),
        ("Expected last role User or Tool (or Assistant with prefix True) but got assistant", "any_order"),
        ("property 'messages.1.reasoning_content' is not supported: extra fields", "returned_fields"),
        ("messages.1.content: Input should be a valid string", "null_content"),
        ("Provider overloaded", None),
    ],
)
def test_refusals_are_learnt_once(message: str, what: str | None) -> None:
    profile = ModelProfile()
    assert refused(400, message, profile) == what
    if what is not None:
        setattr(profile, what, False)
        assert refused(400, message, profile) is None
    assert refused(401, message, ModelProfile()) is None


def test_images_stay_or_leave_their_names() -> None:
    turn: Json = {"role": "user", "content": [{"type": "text", "text": "What is this?"}, IMAGE]}
    [seen] = adapted([turn], ModelProfile())
    assert seen["content"][1] == {"type": "image_url", "image_url": IMAGE["image_url"]}
    [unseen] = adapted([turn], ModelProfile(images=False))
    assert unseen["content"] == "What is this?\n\n[Image harbour.png, which this model cannot see]"
