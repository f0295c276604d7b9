"""What all function calls of a profile are worked on with."""

from dataclasses import dataclass
from pathlib import Path

from assistants_tui.service.functions.registry import Functions
from assistants_tui.settings.approvals import Approvals


@dataclass(frozen=True, slots=True)
class CallContext:
    """The functions that can be called, what the user decided for good, and the log of calls."""

    profile: str
    functions: Functions
    approvals: Approvals
    log: Path
