"""What the chosen line holds, as sections of Markdown, and what they are made of."""

from collections.abc import Callable

from assistants_tui.service.files.thread_files import ThreadFile
from assistants_tui.service.runs.sandboxes import lacks_packages
from assistants_tui.service.runs.state import RunState
from assistants_tui.service.workspace import Workspace
from assistants_tui.tui.file_rows import file_facts
from assistants_tui.tui.messages.message_body import MessageItem, Note
from assistants_tui.tui.messages.message_view import MessageView
from assistants_tui.tui.run_rows import RunRow, Section, as_json, sections
from assistants_tui.tui.text.plain_text import fenced


class DetailView(MessageView):
    """Shows sections. The inspector is drawn with its frames, so changes wait in one place only."""

    def __init__(self, collect: Callable[[], None], *, id: str | None = None) -> None:
        """`collect` reads what has changed; it is called before each frame that was asked for."""
        super().__init__(id=id)
        self._collect_changes = collect
        self._sections: list[Section] = []

    def request(self) -> None:
        """Have what has changed drawn with the next frame."""
        self._frames.request()

    def _collect(self) -> None:
        self._collect_changes()

    def show(self, wanted: list[Section]) -> None:
        """Show these sections; those that are shown already are only changed."""
        if [section.id for section in wanted] != [section.id for section in self._sections]:
            self.set_items([_item(section) for section in wanted], older=False)
            self.scroll_home(animate=False)
        else:
            for section, shown in zip(wanted, self._sections, strict=True):
                if section != shown:
                    self.upsert(_item(section))
        self._sections = wanted

    def raw(self, text: str) -> str:
        """What is copied for the text of a section."""
        return next((one.raw for one in self._sections if one.text == text and one.raw), text)


def step_sections(workspace: Workspace, state: RunState, row: RunRow) -> list[Section]:
    """What a line of the tree holds."""
    return [*_offers(workspace, state, row), *sections(state, row, workspace.file_names.name)]


def json_sections(state: RunState, row: RunRow) -> list[Section]:
    """The raw object of a line: its step, or its run."""
    assert state.run is not None  # the tree has only runs that are known
    step = state.steps.get(row.step_id or "")
    thing = dict(step) if step is not None else dict(state.run)
    return [Section(f"json-{thing['id']}", str(thing.get("object", "")), as_json(thing))]


def file_sections(workspace: Workspace, file: ThreadFile) -> list[Section]:
    """What is known of a file."""
    facts = file_facts(file, workspace.file_names)
    name = workspace.file_names.known(file.file_id)
    return [Section(f"file-{file.file_id}", name, facts, file_id=file.file_id)]


def _offers(workspace: Workspace, state: RunState, row: RunRow) -> list[Section]:
    """What the user can do about packages that the code of a step has missed."""
    step = state.steps.get(row.step_id or "")
    if workspace.session.profile.kind != "embedded" or step is None or not lacks_packages([step]):
        return []
    from assistants_tui.installation import install_command  # not for the first frame

    command = install_command("code")
    text = f"Run this in a terminal and start the app again:\n{fenced(command, 'sh')}"
    return [Section(f"{step['id']}-extra", "Missing packages", text, raw=command)]


def _item(section: Section) -> MessageItem:
    note = Note("file" if section.text else "image", section.file_name, section.file_id)
    return MessageItem(
        id=section.id,
        author=section.heading,
        from_user=False,
        time="",
        text=section.text,
        notes=(note,) if section.file_name else (),
        streaming=section.live,
    )
