"""What was written and not sent, kept beyond the end of the app: one draft for each thread of a profile."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from assistants_tui.service.drafts import Draft
from assistants_tui.service.files.attachments import AttachedFile, Use
from assistants_tui.service.local_paths import keep_paste
from assistants_tui.settings.drafts import DraftFile, KeptDraft, load_draft, save_draft

Keep = Callable[[Callable[[], None]], None]
"""Does something that blocks on the disk: off the event loop, in order, and before the app ends."""


class DraftStore:
    """The drafts by thread ID; None stands for the new thread."""

    def __init__(self, folder: Path, pasted: Path, profile: str, keep: Keep) -> None:
        """`pasted` is the folder of texts that are too long to be edited."""
        self._folder = folder
        self._pasted = pasted
        self._profile = profile
        self._keep = keep
        self._known: dict[str | None, KeptDraft] = {}
        self._unsent: Mapping[str | None, Sequence[Draft]] = {}

    def get(self, thread_id: str | None) -> Draft:
        """What was written in a thread, in this window or before the start. Its files may be gone.

        Reads a small file the first time.
        """
        return _restored(self._get(thread_id))

    def put(self, thread_id: str | None, draft: Draft) -> None:
        """Remember what is written in a thread; an empty draft is forgotten. Options are not kept."""
        kept = _kept(joined([*self._unsent.get(thread_id, ()), draft]))
        if kept == self._get(thread_id):
            return
        self._known[thread_id] = kept
        self._keep(partial(save_draft, self._folder, self._profile, thread_id or "", kept))

    async def keep_paste(self, text: str) -> Path:
        """Keep a pasted text that is too long to be edited until it is sent. Raises `ServiceError`."""
        return await asyncio.to_thread(keep_paste, self._pasted, text)

    def _get(self, thread_id: str | None) -> KeptDraft:
        if thread_id not in self._known:
            self._known[thread_id] = load_draft(self._folder, self._profile, thread_id or "")
        return self._known[thread_id]

    def found_thread(self, thread_id: str) -> None:
        """The new thread is there: what is written goes with it."""
        self.put(thread_id, self.get(None))
        self.put(None, Draft(""))

    def put_unsent(self, unsent: Mapping[str | None, Sequence[Draft]]) -> None:
        """Put messages that did not go out before the drafts of their threads, until the end of the app."""
        written = {thread_id: self.get(thread_id) for thread_id in unsent}
        self._unsent = unsent
        for thread_id, draft in written.items():
            self.put(thread_id, draft)


def joined(drafts: Sequence[Draft]) -> Draft:
    """One draft with the texts and files of all, one after the other."""
    text = "\n\n".join(draft.text for draft in drafts if draft.text.strip())
    return Draft(text, tuple(dict.fromkeys(file for draft in drafts for file in draft.files)))


def missing(files: Sequence[AttachedFile]) -> list[AttachedFile]:
    """Those that should be on this machine and are not. Blocks on the disk."""
    return [file for file in files if file.path is not None and not _is_file(file.path)]


def _kept(draft: Draft) -> KeptDraft:
    files = [
        DraftFile(
            file.name,
            str(file.path) if file.path is not None else None,
            file.file_id,
            file.use.name if file.use is not None else None,
            file.pasted,
        )
        for file in draft.files
    ]
    return KeptDraft(draft.text, tuple(files))


def _restored(kept: KeptDraft) -> Draft:
    files = [
        AttachedFile(
            file.name,
            Path(file.path) if file.path is not None else None,
            file.file_id,
            Use[file.use] if file.use is not None and file.use in Use.__members__ else None,
            file.pasted,
        )
        for file in kept.files
    ]
    return Draft(kept.text, tuple(files))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False
