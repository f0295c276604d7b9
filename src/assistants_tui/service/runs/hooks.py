"""What a program may want to know of every run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistants_tui.protocol.objects import Run, Usage
from assistants_tui.service.errors import ServiceError

if TYPE_CHECKING:
    from assistants_tui.service.runs.budget import BudgetCheck


def _ignore(_: object) -> None:
    pass


@dataclass(frozen=True)
class Hooks:
    """What a program may want to know of every run, whoever started it. Called on the event loop."""

    tokens_validated: "Callable[[BudgetCheck], None]" = _ignore
    """Before each run is sent: whether the token balance allows it."""
    tokens_consumed: Callable[[Usage], None] = _ignore
    """After each run: what it used."""
    failed: Callable[[ServiceError], None] = _ignore
    """Every request that failed, also where it is then repeated or waited out."""
    run_cancelled: Callable[[Run], None] = _ignore
    """Each run that this client stopped: by the user, by the time limit, or by the limit of characters."""
