"""`ask`: one turn without the app. The answer goes to standard output, everything else to standard error."""

import argparse
import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path
from time import time
from typing import TYPE_CHECKING

from assistants_tui.cli.exit_codes import FAILED, NEEDS_ACTION, OK, USAGE
from assistants_tui.cli.linear import LinearPrinter
from assistants_tui.cli.log import log_to_file
from assistants_tui.service import views
from assistants_tui.service.api.connection import Connection
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.files.attachments import attachment
from assistants_tui.service.files.thread_files import thread_files
from assistants_tui.service.runs import sandboxes
from assistants_tui.service.runs.state import RunState
from assistants_tui.service.safe_text import clean
from assistants_tui.service.times import when
from assistants_tui.service.wire import Assistant
from assistants_tui.settings.code_settings import WithoutSandbox
from assistants_tui.settings.config import load_config
from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.paths import user_paths
from assistants_tui.settings.threads import ThreadIndex, ThreadReference

if TYPE_CHECKING:
    from assistants_tui.service.api.backend import Backend

_UNSANDBOXED = (
    "The code was not run. --run-code-unsandboxed runs it all the same, with access to your files, keys and "
    "network; the app asks you about each block of code."
)


def ask(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    question = options.question or ""
    if not sys.stdin.isatty():
        piped = sys.stdin.read().strip()
        question = "\n\n".join(part for part in (question, piped) if part)
    if not question.strip():
        print("assistants-tui ask: there is no question; give one, or pipe text in.", file=sys.stderr)
        return USAGE
    try:
        return asyncio.run(_ask(options, question))
    except ServiceError as error:
        print(f"assistants-tui ask: {clean(str(error))}", file=sys.stderr)
        return FAILED


async def _ask(options: argparse.Namespace, question: str) -> int:
    paths = user_paths()
    log_to_file(paths.log_file)
    loaded = load_config(paths.config_file)
    for problem in loaded.problems:
        print(f"assistants-tui: {clean(str(problem))}", file=sys.stderr)
    name = options.profile or loaded.config.default_profile
    profile = loaded.config.profiles.get(name)
    if profile is None:
        known = ", ".join(loaded.config.profiles)
        raise ServiceError(f"There is no profile “{name}”.", f"config.toml has: {known}.", kind="settings")
    unsandboxed: WithoutSandbox = "run" if options.run_code_unsandboxed else "refuse"
    connection = Connection(profile, paths=paths, config=loaded.config, without_sandbox=unsandboxed)
    try:
        backend = await connection.backend()
        assistant = _chosen(await backend.assistants.list(), options.assistant)
        thread_id = options.thread or (await backend.threads.create())["id"]
        threads = ThreadIndex(paths.threads_file)
        _remember(threads, profile.name, thread_id, assistant, question)
        attachments = [attachment(await backend.files.upload(path), assistant) for path in options.attach]
        await backend.threads.add_message(thread_id, question, attachments=attachments)
        state = await _run(backend, thread_id, assistant["id"], _printer(options, assistant))
        with suppress(KeyError, SettingsError):  # the sign for windows that show the thread to read on
            threads.update(profile.name, thread_id, last_used_at=int(time()))
        if options.json:
            whole = {
                "run": state.run,
                "steps": [*state.steps.values()],
                "messages": [*state.messages.values()],
            }
            print(json.dumps(whole, ensure_ascii=True, indent=2))
        saved = await _give_files(backend, state, options.save)
    finally:
        await connection.close()
    refusal = next(filter(None, map(sandboxes.refusal, state.steps.values())), None)
    if refusal is not None:
        print(f"assistants-tui ask: {clean(refusal)}", file=sys.stderr)
        if profile.kind == "embedded" and loaded.config.code.sandbox != "none":
            print(_UNSANDBOXED, file=sys.stderr)
    return _exit_code(state) if saved else FAILED


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
        print(f"assistants-tui ask: {clean(said)}", file=sys.stderr)
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
                title=views.suggested_title(question),
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
                print("· using a tool…", file=sys.stderr)
        for message in state.messages.values():
            text = views.raw_text(message)
            start = self._printed.get(message["id"])
            if start is None and self._printed:
                print("\n")
            new = text[start or 0 :]
            self._printed[message["id"]] = len(text)
            sys.stdout.write(clean(new))
            sys.stdout.flush()

    def end(self, _state: RunState) -> None:
        print()


def _printer(options: argparse.Namespace, assistant: Assistant) -> _TextPrinter | LinearPrinter | None:
    """What prints the answer; None where it is printed as JSON in the end."""
    if options.json:
        return None
    if not options.linear:
        return _TextPrinter()
    name = clean(assistant.get("name") or "The assistant")
    return LinearPrinter(name, lambda line: print(line, flush=True))


async def _run(
    backend: "Backend", thread_id: str, assistant_id: str, printer: _TextPrinter | LinearPrinter | None
) -> RunState:
    """Follow the run to where it ends or waits, and say why if that is not the answer."""
    state = RunState(thread_id=thread_id)
    async for state in backend.runs.start(thread_id, assistant_id):
        if printer is not None:
            printer.show(state)
    if printer is not None:
        printer.end(state)
        if state.error:
            print(f"assistants-tui ask: {clean(state.error)}", file=sys.stderr)
        if state.pending_code is not None:
            print(
                "assistants-tui ask: the assistant waits for you to look at code. "
                f"Do so in the app{_deadline(state)}: assistants-tui --thread {thread_id}",
                file=sys.stderr,
            )
        for call in state.pending_calls:
            function = call.get("function")
            name = str(function.get("name")) if function else "a function"
            print(
                f"assistants-tui ask: the assistant waits for the output of {clean(name)}. "
                f"Answer it in the app{_deadline(state)}: assistants-tui --thread {thread_id}",
                file=sys.stderr,
            )
    return state


def _deadline(state: RunState) -> str:
    """Until when a run waits, as far as the server says it."""
    clock = when(state.run.get("expires_at"), "%H:%M") if state.run is not None else ""
    return f" until {clock}" if clock else ""


def _exit_code(state: RunState) -> int:
    if state.status == "requires_action":
        return NEEDS_ACTION
    return OK if state.status == "completed" else FAILED
