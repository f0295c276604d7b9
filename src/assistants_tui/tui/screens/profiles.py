"""The profiles: which there are, where each leads, and going on with another one."""

import asyncio
import os
from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content

from assistants_tui.protocol.names import OFFLINE_TUTOR
from assistants_tui.service.client.profile_trial import try_profile
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.local_paths import short_path
from assistants_tui.service.workspace import Workspace
from assistants_tui.settings.config import KIND_FIELDS, Profile
from assistants_tui.settings.config_reader import LoadedConfig, load_config
from assistants_tui.settings.connect_provider import profile_for_models, use_model
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.secrets import KeyOwner, Secret, delete_key, find_key, key_place, store_key
from assistants_tui.settings.settings_reference import redact
from assistants_tui.tui.app_messages import ConfigEdited, ProfileChosen
from assistants_tui.tui.dialogs.questions import ChoiceDialog, TextDialog
from assistants_tui.tui.screens.list_screen import ListScreen
from assistants_tui.tui.screens.profile_wizard import ProfileChoiceDialog, ProfileForm
from assistants_tui.tui.terminal.external_editor import ExternalEditorError, edit_file
from assistants_tui.tui.text.plain_text import as_markdown
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.virtual_list import VirtualList

_KINDS = {
    "embedded": "The engine inside this app",
    "openai": "A server of the Assistants API",
    "azure": "Azure OpenAI",
    "foundry": "Azure AI Foundry, agents (classic)",
}
_NEW = "+"
"""The key of the row that adds a profile."""


class ProfilesScreen(ListScreen):
    """The profiles of config.toml."""

    TITLE_TEXT = "Profiles"
    HELP: ClassVar[str] = (
        "Enter goes on with a profile; each has its own assistants, threads and files. t asks its server for "
        "an answer. Deleting and renaming is done in config.toml, which is yours: e opens it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "New", id="profiles.new", tooltip="Connect a model or a server"),
        Binding("t", "test", "Test", id="profiles.test", tooltip="Ask the server for an answer"),
        Binding("k", "store_key", "Key", id="profiles.key", tooltip="Put a key into the key store"),
        Binding(
            "K",
            "forget_key",
            show=False,
            id="profiles.forget_key",
            tooltip="Take the key out of the key store",
        ),
        Binding("e", "edit", "Edit file", id="profiles.edit", tooltip="Open config.toml in your $EDITOR"),
        Binding("d,delete", "edit_only", show=False, id="profiles.delete", tooltip="How to delete it"),
        Binding("r", "edit_only", show=False, id="profiles.rename", tooltip="How to rename it"),
    ]

    def __init__(self, workspace: Workspace, loaded: LoadedConfig, paths: Paths, cursor: str = "") -> None:
        """`cursor` is the name of the profile to begin with; `+` offers to add one if there is only one."""
        super().__init__(workspace)
        self._profiles = list(loaded.config.profiles.values())
        self._providers = loaded.config.models
        self._paths = paths
        adding = cursor == _NEW and len(self._profiles) == 1
        self._begin = cursor if cursor and (adding or cursor != _NEW) else workspace.session.profile.name
        self._shown: Sequence[Profile] = ()
        self._results: dict[str, str] = {}
        self._keys: dict[str, str] = {}

    def on_mount(self) -> None:
        self.draw()
        keys = [*(profile.name for profile in self._shown), _NEW]
        self.rows.cursor = keys.index(self._begin) if self._begin in keys else 0
        self._look_for_keys()
        self.look_for_changes(self._notice)

    async def _notice(self) -> None:
        loaded = await asyncio.to_thread(load_config, self._paths.config_file)
        profiles = list(loaded.config.profiles.values())
        readable = loaded.given or not loaded.problems
        if readable and (profiles, loaded.config.models) != (self._profiles, self._providers):
            self._profiles = profiles
            self._providers = loaded.config.models
            self.draw()
            self._look_for_keys()

    def draw(self) -> None:
        words = self.wanted.casefold().split()
        shown = self._shown = [
            profile for profile in self._profiles if all(word in profile.name.casefold() for word in words)
        ]
        width = max((len(profile.name) for profile in shown), default=0)

        def row(index: int) -> Content:
            if index == len(shown):
                return Content.styled("+ Connect a model or a server", "$text-accent")
            profile = shown[index]
            mark = "●" if profile.name == self.workspace.session.profile.name else " "
            place = clean(redact(self._place(profile)))
            return Content.assemble(
                (f"{mark} ", "$text-accent"), profile.name.ljust(width), (f"  {place}", "$muted")
            )

        self.rows.set_rows(
            len(shown) + 1, row, key=lambda index: shown[index].name if index < len(shown) else _NEW
        )
        self.draw_detail()

    def _place(self, profile: Profile) -> str:
        """Where a profile leads, in a few words."""
        if profile.kind == "embedded":
            providers = " and ".join(self._providers)
            answers = profile.model_url or (providers and (profile.default_model or f"models of {providers}"))
            return answers or "offline tutor"
        return profile.base_url or profile.azure_endpoint or profile.project_endpoint or _KINDS[profile.kind]

    @property
    def _profile(self) -> Profile | None:
        index = self.rows.cursor
        return self._shown[index] if index is not None and index < len(self._shown) else None

    def draw_detail(self) -> None:
        profile = self._profile
        if profile is None:
            text = (
                "Ollama, LM Studio, vLLM and llama.cpp are found by themselves; OpenAI and every other "
                "endpoint of chat completions will do. Assistants, threads and files then stay here.\n\n"
                "Or connect to a server of the Assistants API: `assistants-tui serve` on another machine, "
                "Azure OpenAI, Azure AI Foundry."
            )
            self.show_detail(_NEW, "A new profile", text)
            return
        facts = [f"**{_KINDS[profile.kind]}**"]
        for name in KIND_FIELDS[profile.kind]:
            if (value := getattr(profile, name)) and not isinstance(value, bool):
                facts.append(f"- {name.replace('_', ' ')}: {as_markdown(redact(value))}")
        if key := self._keys.get(profile.name):
            facts.append(f"- key: {as_markdown(key)}")
        parts = [(f"profile-{profile.name}", profile.name, "\n".join(facts))]
        if profile.kind == "embedded" and self._providers:
            lines = [
                f"- **{name}**: {as_markdown(redact(provider.url))}"
                for name, provider in self._providers.items()
            ]
            parts.append(("providers", "Providers of models", "\n".join(lines)))
        if result := self._results.get(profile.name):
            parts.append((f"result-{profile.name}", "Test", as_markdown(result)))
        self.show_parts(parts)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in {"test", "store_key", "forget_key"}:
            return self._profile is not None
        return True

    # going on with one

    @on(VirtualList.Selected)
    def _selected(self, event: VirtualList.Selected) -> None:
        event.stop()
        profile = self._profile
        if profile is None:
            self.action_new()
        elif profile == self.workspace.session.profile:
            self.dismiss(None)
        else:
            self._go_on_with(profile.name)

    def _go_on_with(self, name: str) -> None:
        self.app.post_message(ProfileChosen(name))
        self.dismiss(None)

    @work(exclusive=True, group="new")
    async def action_new(self) -> None:
        choice = await self.app.push_screen_wait(ProfileChoiceDialog())
        if choice is None:
            return
        file = self._paths.config_file
        embedded = profile_for_models(self.workspace.session.profile, self._profiles)
        if choice.kind == "embedded":
            try:
                await asyncio.to_thread(use_model, file, embedded, OFFLINE_TUTOR)
            except SettingsError as error:
                self.notify(str(error), title="Not changed", severity="error", markup=False)
            else:
                self._go_on_with(embedded.name)
            return
        config = (await asyncio.to_thread(load_config, file)).config
        taken = config.models if choice.kind == "provider" else config.profiles
        name = await self.app.push_screen_wait(ProfileForm(choice, taken, file, embedded))
        if name is not None:
            self._go_on_with(name)

    @work(exclusive=True, group="test")
    async def action_test(self) -> None:
        if (profile := self._profile) is None:
            return
        self._results[profile.name] = "Trying…"
        self.draw_detail()
        results = [await _tried(profile)]
        if profile.kind == "embedded" and (providers := self._providers):
            own = results if profile.model_url is not None else []
            tried = await asyncio.gather(*map(_tried, providers.values()))
            results = [*own, *(f"{name}: {said}" for name, said in zip(providers, tried, strict=True))]
        self._results[profile.name] = "\n\n".join(results)
        self.draw_detail()

    # keys

    @work(exclusive=True, group="keys")
    async def _look_for_keys(self) -> None:
        for profile in self._profiles:
            place = await asyncio.to_thread(key_place, profile)
            self._keys[profile.name] = _key_words(profile, place)
        self.draw_detail()

    @work(exclusive=True, group="key")
    async def action_store_key(self) -> None:
        if (profile := self._profile) is None:
            return
        key = await self.app.push_screen_wait(
            TextDialog(
                f"Key of “{profile.name}”",
                detail="It goes into the key store of this system, never into a file.",
                password=True,
            )
        )
        if key is None:
            return
        try:
            await asyncio.to_thread(store_key, profile.name, Secret(key))
        except SettingsError as error:
            self.notify(str(error), title="Not stored", severity="error", markup=False, timeout=15)
        else:
            self.notify("It holds when the profile is opened the next time.", title="Stored")
            self._look_for_keys()

    @work(exclusive=True, group="key")
    async def action_forget_key(self) -> None:
        if (profile := self._profile) is None:
            return
        dialog = ChoiceDialog(
            f"Take the key of “{profile.name}” out of the key store?",
            "It is not kept anywhere else here.",
            choices=[("keep", "Keep it"), ("remove", "Take it out")],
            danger="remove",
        )
        if await self.app.push_screen_wait(dialog) != "remove":
            return
        try:
            await asyncio.to_thread(delete_key, profile.name)
        except SettingsError as error:
            self.notify(str(error), title="Not removed", severity="error", markup=False)
        else:
            self._look_for_keys()

    # the user's file

    def action_edit_only(self) -> None:
        self.notify(
            f"{short_path(self._paths.config_file)} is yours, and the app only adds to it. "
            "e opens it in your editor.",
            title="Rename and delete profiles there",
            markup=False,
        )

    @work(exclusive=True, group="edit")
    async def action_edit(self) -> None:
        try:
            await edit_file(self.app, self._paths.config_file)
        except ExternalEditorError as error:
            self.notify(str(error), title="No editor", severity="error", markup=False)
        else:
            profile = self._profile
            self.app.post_message(ConfigEdited("profiles", profile.name if profile is not None else _NEW))


async def _tried(settings: KeyOwner) -> str:
    """What a profile or provider answers, or why it does not."""
    try:
        trial = await try_profile(settings, await asyncio.to_thread(find_key, settings))
    except (ServiceError, SettingsError) as error:
        return f"✗ {error}"
    return f"✓ {trial.words} {', '.join(trial.models[:20])}".strip()


def _key_words(profile: Profile, place: str | None) -> str:
    variable = profile.key_variable
    if place == "environment":
        return f"from the environment variable {variable}"
    if place == "not sent":
        return "there is one, but it is not sent there; t says why"
    if place == "store":
        return "from the key store of the system"
    if variable and variable not in os.environ:
        return f"none; the environment variable {variable} is not set"
    return "none" if profile.kind != "embedded" or profile.model_url else ""
