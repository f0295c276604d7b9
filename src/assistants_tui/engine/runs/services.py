"""What runs are worked on with."""

from dataclasses import dataclass, field

from assistants_tui.engine.code_interpreter import CodeInterpreter
from assistants_tui.engine.models.base import ChatModel
from assistants_tui.engine.models.context_limits import ContextLimits
from assistants_tui.engine.search.search import FileSearch
from assistants_tui.engine.store.blobs import BlobStore
from assistants_tui.engine.store.clock import Clock
from assistants_tui.engine.store.database import Database


@dataclass(frozen=True)
class RunServices:
    """The open engine as its runs see it."""

    database: Database
    blobs: BlobStore
    clock: Clock
    model: ChatModel
    interpreter: CodeInterpreter
    file_search: FileSearch
    ask_about_code: bool = False
    """Whether the user has to agree to each block of code that no sandbox confines."""
    context_limits: ContextLimits = field(default_factory=ContextLimits)
    """What models can read, as far as their servers have said it."""

    def now(self) -> int:
        """Unix seconds, as objects carry them."""
        return int(self.clock.time())
