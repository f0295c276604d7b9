"""One action of the model that the user decides on: a function call, or a block of code. Pure state.

Each change returns a new object, and one that is not permitted returns the same object again.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

from assistants_tui.protocol.objects import CodeDecision
from assistants_tui.service.functions.registry import Function, shortened

State = Literal["checking", "waiting", "running", "answered"]
"""`checking`: its function is being looked up. `waiting`: for the user. `running`: decided, and carried out
here. `answered`: it has its answer, which is sent when all actions of the run have theirs."""
Decision = Literal["once", "always", "edited", "refused", "never", "typed"]
"""How an action got its answer. These words are written to the log of calls."""

_DECLINED = "The user declined this call."


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCall:
    """A call of a function by the model."""

    id: str
    name: str
    arguments: str
    """As the model wrote them, which may be anything."""
    values: dict[str, Any] | None = None
    """The arguments, or None if they cannot be used."""
    problem: str = ""
    """What is wrong with the arguments, with finding the function, or with recording the call."""
    function: Function | None = None
    """What can be run here for it."""
    changed: str = ""
    """How the function differs from the one that the user decided on before: a sentence, and lines that begin
    with `-` and `+`."""
    state: State = "checking"
    seen: bool = False
    """The user has seen all of the call as it is now."""
    draft: str = ""
    """An output that the user is writing."""
    decision: Decision | None = None
    remembered: bool = False
    """`decision` was made earlier, for all calls of the function."""
    output: str = ""
    failed: bool = False
    """`output` is the sentence that says why there is no result."""
    printed: str = ""
    """What the function printed when it failed, for the user alone."""
    seconds: float = 0.0
    """How long the function ran."""

    @property
    def can_run(self) -> bool:
        """Whether the user can let it run now."""
        return self.state == "waiting" and self.function is not None and self.values is not None

    @property
    def runs(self) -> bool:
        """Whether its function is running: nobody has declined the call, or written its output."""
        return self.state == "running" and self.decision in {"once", "always"}

    @property
    def subject(self) -> object:
        """What the user decides on: equal for two states of a call that ask the same question."""
        fingerprint = self.function.fingerprint if self.function is not None else None
        return self.name, self.arguments, fingerprint, self.problem, self.changed

    def asked(
        self, function: Function | None, values: dict[str, Any] | None, problem: str, changed: str
    ) -> "FunctionCall":
        """The call as a question to the user, with what was found for it."""
        asked = replace(
            self,
            function=function,
            values=values,
            problem=problem,
            changed=changed,
            state="waiting",
            decision=None,
            remembered=False,
        )
        return replace(asked, seen=self.seen and asked.subject == self.subject)

    def decided_before(self, decision: Literal["always", "never"]) -> "FunctionCall":
        """Answer it with what the user decided earlier for all calls of the function."""
        output = _DECLINED if decision == "never" else ""
        return replace(self, state="running", decision=decision, remembered=True, output=output)

    def allowed(self, *, always: bool = False) -> "FunctionCall":
        """Run its function. Only a call that the user has seen runs."""
        if not self.can_run or not self.seen:
            return self
        return replace(self, state="running", decision="always" if always else "once")

    def declined(self, reason: str = "", *, never: bool = False) -> "FunctionCall":
        """Tell the model that the user does not want it; `never`: nor any other call of the function."""
        if self.state != "waiting":
            return self
        output = f"{_DECLINED} {reason}".strip()
        return replace(self, state="running", decision="never" if never else "refused", output=output)

    def written(self, output: str) -> "FunctionCall":
        """Answer it with an output that the user wrote. It replaces one that is there already."""
        if self.state not in {"waiting", "answered"}:
            return self
        return replace(self, state="running", decision="typed", output=output, failed=False, remembered=False)

    def drafted(self, output: str) -> "FunctionCall":
        """Keep an output that the user is still writing."""
        return replace(self, draft=output) if self.state == "waiting" else self

    def returned(
        self, output: str, seconds: float, *, failed: bool = False, printed: str = ""
    ) -> "FunctionCall":
        """The function has ended. `failed`: with this sentence instead of a result."""
        return replace(self, output=output, seconds=seconds, failed=failed, printed=printed)

    def answered(self) -> "FunctionCall":
        """Its output is what is sent."""
        return replace(self, state="answered", output=shortened(self.output))


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of the code that the user is writing."""

    text: str
    seen: bool
    """The text, or the code before the change, was in sight to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBlock:
    """Code of the model that no sandbox would confine."""

    id: str
    code: str
    """As the model wrote it, with `\\n` as line ends."""
    original: str
    """`code` as it can be edited: without characters that a terminal would obey."""
    text: str
    """`original`, or what the user has put in its place."""
    why_unconfined: str = ""
    """Why there is no sandbox, and what would help."""
    state: State = "waiting"
    seen: bool = False
    """`text` was in sight to its end."""
    edit: Edit | None = None
    reason: str = ""
    """Why it is rejected, as far as the user has written it, for the model."""
    rejecting: bool = False
    """The user is writing `reason`."""
    decision: Decision | None = None

    @property
    def edited(self) -> bool:
        """The user has put something else in the place of the model's code."""
        return self.text != self.original

    @property
    def subject(self) -> str:
        """What the user decides on: the text that would run now, as it is being edited if it is."""
        return self.text if self.edit is None else self.edit.text

    @property
    def subject_seen(self) -> bool:
        """The user has seen `subject` to its end."""
        return self.seen if self.edit is None else self.edit.seen

    @property
    def can_run(self) -> bool:
        """Whether the user can let it run now."""
        blank = self.edit is not None and not self.edit.text.strip()
        return self.state == "waiting" and self.subject_seen and not blank

    @property
    def answer(self) -> CodeDecision:
        """The decision as it is sent."""
        if self.decision == "refused":
            rejected: CodeDecision = {"tool_call_id": self.id, "decision": "reject"}
            return {**rejected, "reason": self.reason} if self.reason else rejected
        run: CodeDecision = {"tool_call_id": self.id, "decision": "run"}
        return {**run, "code": self.subject} if self.decision == "edited" else run

    def allowed(self, *, always: bool = False) -> "CodeBlock":
        """Run `subject`. Code is allowed once: `always` is the same."""
        if not self.can_run:
            return self
        return replace(self, state="answered", decision="once" if self.subject == self.original else "edited")

    def declined(self, reason: str = "", *, never: bool = False) -> "CodeBlock":
        """Reject it, and tell the model why. Code is rejected once: `never` is the same."""
        if self.state != "waiting":
            return self
        return replace(self, state="answered", decision="refused", reason=reason.strip())

    def began_edit(self, text: str) -> "CodeBlock":
        """The user edits it, and this is the text so far."""
        seen = self.seen if self.edit is None else self.edit.seen
        return replace(self, edit=Edit(text, seen))

    def kept_edit(self) -> "CodeBlock":
        """The edited text takes the place of the code, and has to be seen as such."""
        if self.edit is None or not self.edit.text.strip():
            return self
        seen = self.seen and self.edit.text == self.text
        return replace(self, text=self.edit.text, edit=None, seen=seen)

    def discarded_edit(self) -> "CodeBlock":
        """The code is what it was before it was edited."""
        return replace(self, edit=None)

    def began_reason(self, reason: str, *, rejecting: bool) -> "CodeBlock":
        """What the user has written as a reason so far, and whether it is still being written."""
        return replace(self, reason=reason, rejecting=rejecting)


Action = FunctionCall | CodeBlock
