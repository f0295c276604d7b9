"""The user's own hooks: functions in a Python file that are told what happens to runs.

The file is named in config.toml and may define any of

    def on_tokens_validated(ok, balance, required): ...   # before each run; balance is None without a budget
    def on_tokens_consumed(usage): ...                    # after each run: the API's usage object
    def on_exception(error): ...                          # a request failed: what happened, as a text
    def on_run_cancel(run): ...                           # this client had a run stopped: the run object

They run in a thread of their own, one after the other and in order, so they may take their time and hold
nothing up. Whatever they raise is shown, and everything goes on.
"""

import copy
import queue
import runpy
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistants_tui.protocol.objects import Run, Usage
from assistants_tui.service.errors import ServiceError
from assistants_tui.service.runs.hooks import Hooks

if TYPE_CHECKING:
    from assistants_tui.service.runs.budget import BudgetCheck

_LAST_WORDS = 2.0
"""Seconds that hooks get to finish when the app ends."""
_Call = tuple[str, tuple[Any, ...]]


class UserHooks:
    """Runs the hooks of one file, which is read when the first thing happens."""

    def __init__(self, path: Path, on_problem: Callable[[str], None]) -> None:
        """`on_problem` gets a sentence about every mistake in the file, in the hooks' own thread."""
        self._path = path
        self._on_problem = on_problem
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="hooks", daemon=True)
        self._thread.start()

    @property
    def hooks(self) -> Hooks:
        """What a backend tells."""
        return Hooks(
            tokens_validated=self._validated,
            tokens_consumed=self._consumed,
            failed=self._failed,
            run_cancelled=self._cancelled,
        )

    def close(self) -> None:
        """Let the hooks finish what has happened, for a moment. Blocks."""
        self._calls.put(None)
        self._thread.join(_LAST_WORDS)

    def _validated(self, check: "BudgetCheck") -> None:
        self._calls.put(("on_tokens_validated", (check.ok, check.balance, check.required)))

    def _consumed(self, usage: Usage) -> None:
        self._calls.put(("on_tokens_consumed", (copy.deepcopy(usage),)))

    def _failed(self, error: ServiceError) -> None:
        self._calls.put(("on_exception", (str(error),)))

    def _cancelled(self, run: Run) -> None:
        self._calls.put(("on_run_cancel", (copy.deepcopy(run),)))

    def _work(self) -> None:
        functions: dict[str, Any] | None = None
        while (call := self._calls.get()) is not None:
            name, arguments = call
            if functions is None:
                functions = self._read()
            function = functions.get(name)
            if function is None:
                continue
            try:
                function(*arguments)
            except BaseException as error:  # noqa: BLE001 - the user's code, even sys.exit in it
                self._on_problem(f"{self._path}: {name} raised {_words(error)}")

    def _read(self) -> dict[str, Any]:
        try:
            return runpy.run_path(str(self._path), run_name="assistants_tui_hooks")
        except BaseException as error:  # noqa: BLE001 - the user's code, even sys.exit in it
            self._on_problem(f"The hooks in {self._path} cannot be read: {_words(error)}")
            return {}


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
