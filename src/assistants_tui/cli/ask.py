"""`ask`: one turn without the app. The answer goes to standard output, everything else to standard error."""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from time import time
from typing import TYPE_CHECKING

from assistants_tui.cli.exit_codes import FAILED, NEEDS_ACTION, OK, USAGE
from assistants_tui.cli.linear import LinearPrinter
from assistants_tui.cli.log import log_to_file
from assistants_tui.cli.signals import until_told_to_end
from assistants_tui.cli.streams import InputError, OutputError, check_output, note, out, piped_text
from assistants_tui.protocol import limits
from assistants_tui.protocol.objects import Assistant, Attachment
from assistants_tui.service import message_text
from assistants_tui.service.client.connection import Connection
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.files.attachments import attachment
from assistants_tui.service.files.thread_files import thread_files
from assistants_tui.service.runs import sandboxes
from assistants_tui.service.runs.state import RunState
from assistants_tui.service.safe_text import clean
from assistants_tui.service.times import when
from assistants_tui.settings.config import WithoutSandbox
from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.paths import user_paths
from assistants_tui.settings.threads import ThreadIndex, ThreadReference

if TYPE_CHECKING:
    from assistants_tui.service.client.backend import Backend

_UNSANDBOXED = (
    "The code was not run. --run-code-unsandboxed runs it all the same, with access to your files, keys and "
    "network; the app asks you about each block of code."
)


def ask(options: argparse.Namespace) -> int:
    """Run the command and return its exit code. Raises `OutputError` if the answer cannot be written."""
    try:
        question = "\n\n".join(part for part in (options.question or "", piped_text()) if part)
    except InputError as error:
        note(f"assistants-tui ask: {error}")
        return USAGE
    if not question.strip():
        note("assistants-tui ask: there is no question; give one, or pipe text in.")
        return USAGE
    if len(question) > limits.MAX_MESSAGE_TEXT:
        note(
            f"assistants-tui ask: the message has {len(question):,} characters; "
            f"{limits.MAX_MESSAGE_TEXT:,} are allowed. Send the text as a file: --attach FILE"
        )
        return USAGE
    check_output()
    try:
        return asyncio.run(until_told_to_end(_ask(options, question)))
    except ServiceError as error:
        note(f"assistants-tui ask: {clean(str(error))}")
        return FAILED


async def _ask(options: argparse.Namespace, question: str) -> int:
    paths = user_paths()
    log_to_file(paths.log_file)
    loaded = load_config(paths.config_file)
    for problem in loaded.problems:
        note(f"assistants-tui: {clean(str(problem))}")
    name = options.profile or loaded.config.default_profile
    profile = loaded.config.profiles.get(name)
    if profile is None:
        known = ", ".join(loaded.config.profiles)
        raise ServiceError(f"There is no profile “{name}”.", f"config.toml has: {known}.", kind="settings")
    unsandboxed: WithoutSandbox = "run" if options.run_code_unsandboxed else "refuse"
    connection = Connection(profile, paths=paths, config=loaded.config, without_sandbox=unsandboxed)
    unwritten: OutputError | None = None
    try:
        backend = await connection.backend()
        assistant = _chosen(await backend.assistants.list(), options.assistant)
        thread_id = await _send(backend, assistant, question, options.thread, options.attach)
        threads = ThreadIndex(paths.threads_file)
        try:
            _remember(threads, profile.name, thread_id, assistant, question)
        except SettingsError as error:
            note(f"assistants-tui ask: {clean(str(error))}. The history is without this thread: {thread_id}")
        state, unwritten = await _run(backend, thread_id, assistant["id"], _printer(options, assistant))
        with suppress(KeyError, SettingsError):  # the sign for windows that show the thread to read on
            threads.update(profile.name, thread_id, last_used_at=int(time()))
        saved = await _give_files(backend, state, options.save)
    finally:
        await connection.close()
    refusal = next(filter(None, map(sandboxes.refusal, state.steps.values())), None)
    if refusal is not None:
        note(f"assistants-tui ask: {clean(refusal)}")
        if profile.kind == "embedded" and loaded.config.code.sandbox != "none":
            note(_UNSANDBOXED)
    if unwritten is not None:
        raise OutputError(f"{unwritten} The thread keeps the answer: assistants-tui --thread {thread_id}")
    return _exit_code(state) if saved else FAILED


async def _send(
    backend: "Backend", assistant: Assistant, question: str, thread_id: str | None, paths: Sequence[Path]
) -> str:
    """Send the question with its files, to a new thread unless there is one. Returns the thread's ID.

    All or nothing: where the message cannot be sent there is no new thread, and no file of its own.
    """
    sent: list[Attachment] = []
    try:
        for path in paths:
            sent.append(attachment(await backend.files.upload(path), assistant))
        if thread_id is not None:
            await backend.threads.add_message(thread_id, question, attachments=sent)
            return thread_id
        message = {"role": "user", "content": question, **({"attachments": sent} if sent else {})}
        return (await backend.threads.create({"messages": [message]}))["id"]
    except ServiceError:
        for one in sent:
            with suppress(ServiceError):
                await backend.files.delete(one["file_id"])
        raise


async def _give_files(backend: "Backend", state: RunState, folder: Path | None) -> bool:
    """Save the files that the run has made, or say which they are. False if one could not be saved."""
    done = True
    for file in thread_files(state.messages.values(), [state]):
        if file.origin != "produced":
            continue
        try:
            if folder is not None:
                said = f"Saved {await backend.files.download(file.file_id, folder)}"
            else:
                name = (await backend.files.retrieve(file.file_id)).get("filename") or file.name
                said = f"The assistant made {name} ({file.file_id}). --save FOLDER saves such files."
        except ServiceError as error:
            said, done = f"{file.file_id}: {error}", folder is None
        note(f"assistants-tui ask: {clean(said)}")
    return done


def _chosen(assistants: list[Assistant], wanted: str | None) -> Assistant:
    """The assistant of that name or ID, or the first one."""
    if wanted is None and assistants:
        return assistants[0]
    for assistant in assistants:
        if wanted in (assistant["id"], assistant.get("name")):
            return assistant
    names = ", ".join(assistant.get("name") or assistant["id"] for assistant in assistants) or "none at all"
    raise ServiceError(f"There is no assistant “{wanted}”.", f"This profile has: {names}.", kind="not_found")


def _remember(
    threads: ThreadIndex, profile: str, thread_id: str, assistant: Assistant, question: str
) -> None:
    now = int(time())
    if threads.get(profile, thread_id) is not None:
        threads.update(profile, thread_id, last_used_at=now, assistant_id=assistant["id"])
    else:
        threads.add(
            ThreadReference(
                profile=profile,
                id=thread_id,
                title=message_text.suggested_title(question),
                assistant_id=assistant["id"],
                created_at=now,
                last_used_at=now,
            )
        )


class _TextPrinter:
    """Prints the text of messages as it comes."""

    def __init__(self) -> None:
        self._printed: dict[str, int] = {}
        self._announced: set[str] = set()

    def show(self, state: RunState) -> None:
        for step in state.steps.values():
            if step["id"] not in self._announced and step["type"] == "tool_calls" and sys.stderr.isatty():
                self._announced.add(step["id"])
                note("· using a tool…")
        for message in state.messages.values():
            text = message_text.raw_text(message)
            start = self._printed.get(message["id"])
            if start is None and self._printed:
                out("\n")
            self._printed[message["id"]] = len(text)
            if new := text[start or 0 :]:
                out(clean(new), end="")

    def end(self, _state: RunState) -> None:
        out("")


class _JsonPrinter:
    """Prints the whole run as JSON in the end."""

    def show(self, _state: RunState) -> None:
        pass

    def end(self, state: RunState) -> None:
        whole = {
            "run": state.run,
            "steps": [*state.steps.values()],
            "messages": [*state.messages.values()],
        }
        out(json.dumps(whole, ensure_ascii=True, indent=2))


_Printer = _TextPrinter | LinearPrinter | _JsonPrinter


def _printer(options: argparse.Namespace, assistant: Assistant) -> _Printer:
    """What prints the answer."""
    if options.json:
        return _JsonPrinter()
    if not options.linear:
        return _TextPrinter()
    name = clean(assistant.get("name") or "The assistant")
    return LinearPrinter(name, out)


async def _run(
    backend: "Backend", thread_id: str, assistant_id: str, printer: _Printer
) -> tuple[RunState, OutputError | None]:
    """Follow the run to where it ends or waits, and say why if that is not the answer.

    Where the answer cannot be written, the run goes on all the same and the error is returned.
    """
    state = RunState(thread_id=thread_id)
    unwritten: OutputError | None = None
    async for state in _states(backend, thread_id, assistant_id):
        if unwritten is None:
            try:
                printer.show(state)
            except OutputError as error:
                unwritten = error
    if unwritten is None:
        try:
            printer.end(state)
        except OutputError as error:
            unwritten = error
    if isinstance(printer, _JsonPrinter):
        return state, unwritten
    if state.error:
        note(f"assistants-tui ask: {clean(state.error)}")
    if state.pending_code is not None:
        note(
            "assistants-tui ask: the assistant waits for you to look at code. "
            f"Do so in the app{_deadline(state)}: assistants-tui --thread {thread_id}"
        )
    for call in state.pending_calls:
        function = call.get("function")
        name = str(function.get("name")) if function else "a function"
        note(
            f"assistants-tui ask: the assistant waits for the output of {clean(name)}. "
            f"Answer it in the app{_deadline(state)}: assistants-tui --thread {thread_id}"
        )
    return state, unwritten


async def _states(backend: "Backend", thread_id: str, assistant_id: str) -> AsyncIterator[RunState]:
    """The states of a new run; where the server lets nobody read runs, one with the messages that came."""
    states = backend.runs.start(thread_id, assistant_id)
    try:
        yield await anext(aiter(states))
    except ServiceError as error:
        if error.no_effect:
            raise
        try:
            page = await backend.threads.messages(thread_id)
        except ServiceError:
            raise error from None
        newer = takewhile(lambda message: message["role"] == "assistant", page.items)
        answers = {message["id"]: message for message in newer}
        if not answers:
            raise
        yield RunState(thread_id=thread_id, messages=dict(reversed(answers.items())))
        return
    async for state in states:
        yield state


def _deadline(state: RunState) -> str:
    """Until when a run waits, as far as the server says it."""
    clock = when(state.run.get("expires_at"), "%H:%M") if state.run is not None else ""
    return f" until {clock}" if clock else ""


def _exit_code(state: RunState) -> int:
    if state.status == "requires_action":
        return NEEDS_ACTION
    answered = state.status == "completed" or (state.run is None and bool(state.messages))
    return OK if answered else FAILED
