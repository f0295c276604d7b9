"""The wizard that connects: what to connect to, and a form that is tried out before it is kept."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, Static

from assistants_tui.addresses import can_be_read_on_the_way
from assistants_tui.service.client.local_model_servers import answering_models, find_endpoints
from assistants_tui.service.client.profile_trial import Trial, try_profile
from assistants_tui.service.errors import ServiceError
from assistants_tui.settings.config import Profile
from assistants_tui.settings.connect_provider import connect_provider
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.new_profile import (
    ProfileFieldsError,
    free_name,
    keep_profile,
    new_profile,
    new_provider,
)
from assistants_tui.settings.secrets import (
    KeyNotSentError,
    KeyOwner,
    Secret,
    environment_key,
    has_key_store,
    stored_key,
)
from assistants_tui.tui.dialogs.help import HelpScreen
from assistants_tui.tui.dialogs.questions import ChoiceDialog, PickDialog
from assistants_tui.tui.screens.profile_choices import FIELDS, ProfileChoice, choices
from assistants_tui.tui.text.safety import clean
from assistants_tui.tui.widgets.dialog_list import DialogList
from assistants_tui.tui.widgets.form import FormField, Tone
from assistants_tui.tui.widgets.key_bar import KeyBar
from assistants_tui.tui.widgets.virtual_list import VirtualList

_NO_STORE = (
    "This system has no key store: ^T tries a key that is entered here, but it cannot be kept. "
    "Put it into an environment variable before you start the app, and name that below"
)


class ProfileChoiceDialog(ModalScreen[ProfileChoice | None]):
    """Ask what to connect to. Model servers of this computer are looked for meanwhile."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Back", id="dialog.back")]
    DEFAULT_CSS = """
    ProfileChoiceDialog {
        align: center middle;
        background: $background 60%;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._choices = choices(None)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Connect to", classes="dialog-title")
            yield DialogList()
            yield Static("Enter chooses, Esc goes back", classes="dialog-hint")

    def on_mount(self) -> None:
        self._draw()
        self.query_one(VirtualList).focus()
        self._look()

    @work(exclusive=True)
    async def _look(self) -> None:
        before = self._choices[0]
        self._choices = choices(await find_endpoints())
        rows = self.query_one(VirtualList)
        untouched = rows.cursor == 0 and before.label != self._choices[0].label
        self._draw()
        if untouched:  # what runs is offered first, to whoever has not moved yet
            rows.cursor = 0

    def _draw(self) -> None:
        offered = self._choices
        width = max(len(choice.label) for choice in offered)

        def row(index: int) -> Content:
            choice = offered[index]
            mark = ("● ", "$text-success") if choice.models else "  "
            return Content.assemble(mark, choice.label.ljust(width), (f"  {clean(choice.about)}", "$muted"))

        rows = self.query_one(VirtualList)
        rows.set_rows(len(offered), row, key=lambda index: offered[index].label)

    @on(VirtualList.Selected)
    def _selected(self, event: VirtualList.Selected) -> None:
        event.stop()
        if event.index is not None:
            self.dismiss(self._choices[event.index])


class ProfileForm(Screen[str | None]):
    """The fields of a profile, or of a provider of models, which is added to an embedded profile.

    The result is the name of the profile to go on with when config.toml has it all, None after Esc.
    """

    HELP: ClassVar[str] = (
        "Tab goes from field to field. ^T tries what you entered, and so does Enter in address and key; "
        "^S keeps it and goes on with it. Keys go into the key store of the system, never into a file."
    )
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (70, "-wide")]  # noqa: RUF012 - Textual's
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", priority=True, id="profile.save", tooltip="Keep the profile"),
        Binding("ctrl+t", "test", "Test", priority=True, id="profile.test", tooltip="Try the profile"),
        Binding("escape", "dismiss(None)", "Back", id="profile.back"),
        Binding("f1", "help", "Help", id="app.help", tooltip="Explain this screen"),
    ]
    DEFAULT_CSS = """
    ProfileForm {
        background: $surface;
        #profile-title { height: 1; padding: 0 1; background: $panel; margin-bottom: 1; text-style: bold; }
        #profile-fields { height: 1fr; align-horizontal: center; }
        #profile-fields > FormField { max-width: 110; }
        #profile-state { height: auto; max-height: 4; padding: 0 2; color: $text-muted; }
    }
    """

    def __init__(
        self, choice: ProfileChoice, taken: Collection[str], config_file: Path, embedded: Profile
    ) -> None:
        """`taken` are the names of the profiles, or of the providers; `embedded` is who gets a provider."""
        super().__init__()
        self._embedded = embedded
        self._choice = choice
        self._taken = taken
        self._config_file = config_file
        self._models = tuple(choice.models)
        self._warnings: Mapping[str, str] = {}  # what is always said beside fields
        self._use_stored: dict[tuple[str, str], bool] = {}  # by name and address, as the user said
        self._in_the_clear: set[str] = set()  # places to which keys may go without encryption
        self._tried: tuple[KeyOwner, str] | None = None  # what works, or is kept anyway

    def compose(self) -> ComposeResult:
        choice = self._choice
        texts = {"name": free_name(choice.name, self._taken), **choice.texts}
        title = "Connect models" if choice.kind == "provider" else "New profile"
        yield Static(f"{title}: {choice.label}", id="profile-title", markup=False)
        with VerticalScroll(id="profile-fields", can_focus=False):
            for name in ("name", *choice.fields):
                control = Input(texts.get(name, ""), compact=True, password=name == "key")
                yield FormField(FIELDS[name].label, control, hint=FIELDS[name].hint, id=f"profile-{name}")
        yield Static(id="profile-state")
        yield KeyBar()

    def on_mount(self) -> None:
        first = self._choice.address or "name"
        self._input(first).focus()
        self._tell_models()
        self._say("^T tries it, ^S keeps it and goes on with it.")
        if "key" in self._choice.fields:
            self._look_for_key_store()

    @work
    async def _look_for_key_store(self) -> None:
        if not await asyncio.to_thread(has_key_store):
            self._warnings = {"key": _NO_STORE}
            self._field("key").tell(_NO_STORE, "warning")

    def _field(self, name: str) -> FormField:
        return self.query_one(f"#profile-{name}", FormField)

    def _input(self, name: str) -> Input:
        return self._field(name).query_one(Input)

    @property
    def _texts(self) -> Mapping[str, str]:
        return {name: self._input(name).value for name in self._choice.fields}

    def _say(self, text: str, tone: Tone = "hint") -> None:
        colour = {"hint": "$muted", "warning": "$text-warning", "error": "$text-error"}[tone]
        self.query_one("#profile-state", Static).update(Content.styled(text, colour))

    def _complain(self, problems: Mapping[str, str]) -> None:
        """Show what is wrong beside the fields, and go to the first of them."""
        shown = [name for name in ("name", *self._choice.fields) if name in problems]
        for name in ("name", *self._choice.fields):
            if name in problems:
                self._field(name).tell(clean(problems[name]), "error")
            else:
                self._field(name).tell(self._warnings.get(name, ""), "warning")
        if shown:
            self._input(shown[0]).focus()
        else:
            self._tell_models()

    def _tell_models(self) -> None:
        if self._models and "default_model" in self._choice.fields:
            count = f"{len(self._models)} model{'' if len(self._models) == 1 else 's'}"
            self._field("default_model").tell(f"Enter lists {count}; empty: {clean(self._usual_model)}")

    @property
    def _usual_model(self) -> str:
        """The model that is taken where none is named."""
        return next(iter(answering_models(self._models)), self._models[0])

    # trying

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        name = ((event.input.parent and event.input.query_ancestor(FormField).id) or "").removeprefix(
            "profile-"
        )
        if name == "default_model" and self._models:
            self._choose_model()
        elif name in {self._choice.address, "key"}:
            self.action_test()
        else:
            self.focus_next()

    @work(exclusive=True, group="model")
    async def _choose_model(self) -> None:
        names = [clean(model) for model in self._models]
        if (index := await self.app.push_screen_wait(PickDialog("Which model?", names))) is not None:
            self._input("default_model").value = self._models[index]

    @work(exclusive=True, group="profile")
    async def action_test(self) -> None:
        if (settings := self._settings()) is not None:
            await self._try(settings)

    def _settings(self) -> KeyOwner | None:
        """What the fields say; None, and told beside them, if something is wrong there."""
        name, kind = self._input("name").value.strip(), self._choice.kind
        settings: KeyOwner
        try:
            if kind == "provider":
                settings = new_provider(name, self._texts, taken=self._taken)
            else:
                settings = new_profile(name, kind, self._texts, taken=self._taken)
        except ProfileFieldsError as error:
            self._say("Not yet: see above.", "error")
            self._complain(error.problems)
            return None
        self._complain({})
        return self._with_permission(settings)

    def _with_permission(self, settings: KeyOwner) -> KeyOwner:
        """The settings with the user's word on keys that go without encryption."""
        _, place = self._destination(settings)
        return replace(settings, allow_plain_http=place in self._in_the_clear)

    @property
    def _key(self) -> str:
        return self._texts.get("key", "").strip()

    async def _try(self, settings: KeyOwner) -> Trial | None:
        """Ask the server; None, and told beside the field that is the cause, if it does not answer."""
        typed = self._key
        if not typed and not await self._asked_about_stored(settings):
            return None
        try:
            key = Secret(typed) if typed else await asyncio.to_thread(self._known_key, settings)
        except KeyNotSentError as error:
            self._complain({self._cause(ServiceError(str(error), kind="settings")): str(error)})
            return None
        if (
            key or (isinstance(settings, Profile) and settings.token_command)
        ) and not await self._asked_about_encryption(settings):
            return None
        settings = self._with_permission(settings)
        self._say("Trying…")
        try:
            trial = await try_profile(settings, key)
        except ServiceError as error:
            self._say("It does not work yet. ^S keeps it all the same.", "error")
            self._tried = settings, typed
            self._complain({self._cause(error): str(error)})
            return None
        self._tried = trial.settings, typed
        self._models = trial.models or self._models
        if (address := self._choice.address) is not None:
            self._input(address).value = trial.settings.address
            self._field(address).tell(f"✓ {clean(trial.words)}")
        self._tell_models()
        self._say(f"✓ {trial.words} ^S keeps it and goes on with it.")
        return trial

    async def _asked_about_stored(self, settings: KeyOwner) -> bool:
        """Ask about a key that was stored for an earlier one of this name: this one may lead elsewhere.

        False if the user gave no answer.
        """
        if self._destination(settings) in self._use_stored:
            return True
        if await asyncio.to_thread(stored_key, settings.stored_name) is None:
            return True
        _, place = self._destination(settings)
        what = "profile" if isinstance(settings, Profile) else "provider"
        choice = await self.app.push_screen_wait(
            ChoiceDialog(
                f"Use the key that is stored for “{settings.name}”?",
                f"An earlier {what} of this name has left it in the key store. "
                f"It would be sent to {clean(place)}.",
                choices=[("remove", "Remove it, with ^S"), ("use", "Use it")],
            )
        )
        if choice is not None:
            self._use_stored[self._destination(settings)] = choice == "use"
        return choice is not None

    async def _asked_about_encryption(self, settings: KeyOwner) -> bool:
        """Ask before a key is sent where others can read it. False if it is not to be sent."""
        _, place = self._destination(settings)
        if place in self._in_the_clear or "://" not in place or not can_be_read_on_the_way(place):
            return True
        dialog = ChoiceDialog(
            f"Send the key to {clean(place)} without encryption?",
            "Others could read it on the way. With https they could not.",
            choices=[("keep", "Do not send it"), ("send", "Send it, and remember that")],
            danger="send",
        )
        if await self.app.push_screen_wait(dialog) != "send":
            self._say("Not tried: the key would be sent without encryption.", "warning")
            return False
        self._in_the_clear.add(place)
        return True

    def _destination(self, settings: KeyOwner) -> tuple[str, str]:
        """The name, and the host to which the key would go: a trial may correct the path."""
        address = urlsplit(settings.address)
        return settings.name, f"{address.scheme}://{address.netloc}" if address.netloc else "the new address"

    def _known_key(self, settings: KeyOwner) -> Secret | None:
        """The key of the environment, or the stored one if the user said so. Blocks on the key store.

        Raises `KeyNotSentError`.
        """
        stored = (
            stored_key(settings.stored_name) if self._use_stored.get(self._destination(settings)) else None
        )
        return environment_key(settings) or stored

    def _cause(self, error: ServiceError) -> str:
        """The field that has to be changed."""
        for name in self._choice.fields:
            if f"`{name}`" in str(error):
                return name
        if error.kind == "authentication" and "key" in self._choice.fields:
            return "key"
        return self._choice.address or "name"

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(self))

    # keeping

    @work(exclusive=True, group="profile")
    async def action_save(self) -> None:
        """Keep it if it works; if not, say so, and keep it when that is wanted all the same."""
        if (settings := self._settings()) is None:
            return
        if self._tried != (settings, self._key):
            if (trial := await self._try(settings)) is None:
                return
            settings = trial.settings
        if settings.default_model is None and self._models:
            settings = replace(settings, default_model=self._usual_model)  # as the form says
        key = Secret(self._key) if self._key else None
        drop = self._use_stored.get(self._destination(settings)) is False
        try:
            if isinstance(settings, Profile):
                await self._keep_profile(settings, key, drop=drop)
            elif settings.default_model is None:
                self._complain({"default_model": "Name a model: the server has listed none."})
            else:
                await asyncio.to_thread(
                    connect_provider, self._config_file, settings, self._embedded, key, drop_stored=drop
                )
                self.dismiss(self._embedded.name)
        except SettingsError as error:
            self._say("Not kept.", "error")
            self._complain({"key" if key is not None else "name": str(error)})

    async def _keep_profile(self, profile: Profile, key: Secret | None, *, drop: bool) -> None:
        failure = await asyncio.to_thread(keep_profile, self._config_file, profile, key, drop_stored=drop)
        if failure:
            title = f"The profile “{profile.name}” is kept, the key store is as it was"
            self.notify(clean(failure), title=title, severity="error", markup=False, timeout=15)
        # with an old key in the store it is not opened: it would be sent to the new address
        self.dismiss(None if failure and drop else profile.name)
