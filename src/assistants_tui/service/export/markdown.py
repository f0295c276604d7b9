"""A thread as Markdown. Texts of messages stay as they are; names around them are escaped."""

import base64
import re
from collections.abc import Iterator

from assistants_tui.protocol.objects import Message, RunStep
from assistants_tui.service import message_text
from assistants_tui.service.export.document import (
    Document,
    calls,
    entries,
    line,
    picture_type,
    run_error,
    when,
)
from assistants_tui.service.safe_text import clean

_SIGNS = re.compile(r"([\\`*_{}\[\]()<>#+!|~&-])")


def render_markdown(document: Document) -> str:
    """The whole document. Pictures stand at its end, as definitions that their places refer to."""
    writer = _Writer(document)
    return "\n\n".join([*writer.parts(), *writer.definitions()]) + "\n"


class _Writer:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._pictures: dict[str, str] = {}  # labels by file ID

    def parts(self) -> Iterator[str]:
        document = self._document
        yield f"# {_name(document.title)}"
        yield (
            f"Thread `{_code(document.thread['id'])}` of the profile {_name(document.profile)}, "
            f"exported {when(document.exported_at)}"
        )
        for entry in entries(document):
            if entry.message is not None:
                yield from self._message(entry.message)
            elif entry.step is not None:
                yield from self._step(entry.step)
            elif entry.ended is not None:
                yield f"> {_name(run_error(entry.ended))}"

    def definitions(self) -> Iterator[str]:
        for file_id, label in self._pictures.items():
            data = self._document.images[file_id]
            yield f"[{label}]: data:{picture_type(data)};base64,{base64.b64encode(data).decode()}"

    def _message(self, message: Message) -> Iterator[str]:
        document, shown = self._document, message_text.render_text(message)
        yield f"## {_name(document.author(message))}"
        yield f"*{when(message.get('created_at'))}*"
        if shown.text:
            yield clean(shown.text)
        for image in shown.images:
            yield self._picture(image)
        notes = [
            f"\\[{note.number}\\] {_name(document.note_name(note))} (`{_code(note.file_id)}`)"
            for note in shown.footnotes
        ]
        notes += [
            f"Attached: {_name(document.file_name(one['file_id']))} (`{_code(one['file_id'])}`)"
            for one in message.get("attachments") or ()
        ]
        if message.get("status") == "incomplete":
            reason = (message.get("incomplete_details") or {}).get("reason")
            notes.append(f"Incomplete: {_name(str(reason))}")
        if notes:
            yield "\n".join(f"- {note}" for note in notes)

    def _picture(self, image: str) -> str:
        name = _name(self._document.file_name(image))
        if picture_type(self._document.images.get(image, b"")) is None:
            return f"*Picture: {name}*"
        label = self._pictures.setdefault(image, f"picture-{len(self._pictures) + 1}")
        return f"![{name}][{label}]"

    def _step(self, step: RunStep) -> Iterator[str]:
        for kind, call in calls(step):
            match kind:
                case "code_interpreter":
                    yield "*Code interpreter*"
                    yield _fenced(str(call.get("input") or ""), "python")
                    for output in call.get("outputs") or ():
                        if output.get("type") == "logs":
                            yield _fenced(str(output.get("logs") or ""))
                        elif output.get("type") == "image":
                            yield self._picture(str((output.get("image") or {}).get("file_id") or ""))
                case "file_search":
                    yield "*File search*"
                    found = [
                        f"- {_name(str(result.get('file_name') or result.get('file_id')))} "
                        f"({result.get('score', 0):.2f})"
                        for result in call.get("results") or ()
                    ]
                    if found:
                        yield "\n".join(found)
                case "function":
                    yield f"*Function {_name(str(call.get('name') or ''))}*"
                    yield _fenced(str(call.get("arguments") or ""), "json")
                    if call.get("output") is not None:
                        yield _fenced(str(call["output"]))
                case _:
                    yield f"*{_name(kind)}*"


def _name(text: str) -> str:
    """A text from outside that must not become markup."""
    return _SIGNS.sub(r"\\\1", line(text))


def _code(text: str) -> str:
    return line(text).replace("`", "'")


def _fenced(text: str, language: str = "") -> str:
    """A code block that no text can close early."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{clean(text).rstrip()}\n{fence}"
