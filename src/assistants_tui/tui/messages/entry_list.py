"""The messages of a view in their order, how high each is, and which of them have their lines in memory."""

from collections.abc import Callable, Iterable, Iterator

from .heights import Heights
from .message_body import MessageItem
from .message_entry import MessageEntry


class EntryList:
    """Entries from the oldest to the newest. A place is an index into them, and changes when older ones come.

    Heights are estimates until an entry is measured, which draws it.
    """

    def __init__(self, enough: Callable[[], bool]) -> None:
        """Drawing stops once `enough` is true; `draw_changes` goes on with it."""
        self.heights = Heights()
        """By place."""
        self.width = 0
        """Cells of a line of text; 0 until it is known, and nothing is measured before that."""
        self.moved = False
        """Whether something may be in another place than it was painted."""
        self._enough = enough
        self._entries: list[MessageEntry] = []
        self._places: dict[str, int] = {}  # by message ID
        self._drawn: dict[int, MessageEntry] = {}  # those with lines by serial, the latest used last
        self._stale: set[str] = set()  # IDs of messages that have changed since they were drawn

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, place: int) -> MessageEntry:
        return self._entries[place]

    def __iter__(self) -> Iterator[MessageEntry]:
        return iter(self._entries)

    def find(self, item_id: str) -> MessageEntry | None:
        """The entry of a message, if there is one."""
        place = self._places.get(item_id)
        return None if place is None else self._entries[place]

    def place(self, entry: MessageEntry) -> int:
        """The place of one of the entries."""
        return self._places[entry.item.id]

    @property
    def complete(self) -> bool:
        """Whether those that have been in sight are drawn to their ends, or there are none."""
        if self._entries and not self._drawn:
            return False
        return not self._stale and not self.behind

    @property
    def behind(self) -> bool:
        """Whether drawing has stopped before its end somewhere."""
        return any(entry.behind for entry in self._drawn.values())

    @property
    def drawn(self) -> int:
        """How many entries have their lines in memory."""
        return len(self._drawn)

    # -- which messages there are

    def set_items(self, items: Iterable[MessageItem]) -> None:
        """Have these messages and no others."""
        unique = {item.id: item for item in items}
        self._entries = [MessageEntry(item, serial) for serial, item in enumerate(unique.values())]
        self._drawn.clear()
        self._stale.clear()
        self.moved = True
        self._count_places()
        self._estimate()

    def prepend(self, items: Iterable[MessageItem]) -> None:
        """Put older messages before the others; those that are here already are left out."""
        new = [item for item in {item.id: item for item in items}.values() if item.id not in self._places]
        first = self._entries[0].serial if self._entries else 0
        entries = [MessageEntry(item, first - len(new) + place) for place, item in enumerate(new)]
        self._entries[:0] = entries
        self.heights.prepend(self._estimated(entry) for entry in entries)
        self._count_places()

    def upsert(self, item: MessageItem) -> bool:
        """Add a message at the end, or have a newer state of one. False if nothing is new."""
        entry = self.find(item.id)
        if entry is None:
            serial = self._entries[-1].serial + 1 if self._entries else 0
            self._places[item.id] = len(self._entries)
            entry = MessageEntry(item, serial)
            self._entries.append(entry)
            self.heights.append(self._estimated(entry))
        elif entry.item == item:
            return False
        else:
            entry.item = item
        self._stale.add(item.id)
        return True

    def remove(self, entry: MessageEntry) -> MessageEntry | None:
        """Take an entry out; returns the one that is in its place now, or the last."""
        place = self.place(entry)
        del self._entries[place]
        del self.heights[place]
        self._drawn.pop(entry.serial, None)
        self._stale.discard(entry.item.id)
        self._count_places()
        self.moved = True
        return self._entries[min(place, len(self._entries) - 1)] if self._entries else None

    def _count_places(self) -> None:
        self._places = {entry.item.id: place for place, entry in enumerate(self._entries)}

    # -- heights and lines

    def set_width(self, width: int) -> None:
        """Have all lines drawn anew for another width."""
        self.width = width
        for entry in self._drawn.values():
            entry.forget()
        self._drawn.clear()
        self._estimate()

    def _estimated(self, entry: MessageEntry) -> int:
        return entry.estimated_height(self.width) if self.width else 1

    def _estimate(self) -> None:
        self.heights = Heights(self._estimated(entry) for entry in self._entries)

    def measure(self, place: int) -> int:
        """The true height of an entry, which is drawn for that if need be."""
        entry = self._entries[place]
        if not entry.at_hand:
            entry.draw(self.width, self._enough)
            self._stale.discard(entry.item.id)
            self.heights[place] = len(entry.body)
            self.moved = True  # it was never painted, even where its height was guessed right
        self._drawn.pop(entry.serial, None)
        self._drawn[entry.serial] = entry
        return self.heights[place]

    def draw_changes(self, grown: Callable[[MessageEntry, int, int], None]) -> int:
        """Bring the drawn entries up to date; the first line, counted from the oldest, that has changed.

        `grown` is called with each entry that was not drawn to its end, its height before and its height now.
        """
        first = self.heights.total
        for item_id in self._stale:
            if (place := self._places.get(item_id)) is None:
                continue
            entry = self._entries[place]
            if entry.at_hand:
                first = min(first, self._draw_changes(entry, grown, newer=True))
            else:
                self.heights[place] = self._estimated(entry)
        for entry in reversed(self._drawn.values()):  # those in sight were used last
            if entry.behind:
                first = min(first, self._draw_changes(entry, grown, newer=False))
        self._stale.clear()
        return first

    def _draw_changes(
        self, entry: MessageEntry, grown: Callable[[MessageEntry, int, int], None], *, newer: bool
    ) -> int:
        place, before, behind = self.place(entry), len(entry.body), entry.behind
        changed = entry.draw_changes(self._enough, newer=newer)
        self.heights[place] = len(entry.body)
        if behind:
            grown(entry, before, len(entry.body))
        return self.heights.top(place) + changed

    def forget_unseen(self, spare: int) -> None:
        """Drop the lines of all entries but as many as were used last."""
        for serial in list(self._drawn)[: max(0, len(self._drawn) - spare)]:
            self._drawn.pop(serial).forget()

    def forget_strips(self) -> None:
        """Have all lines painted anew."""
        for entry in self._drawn.values():
            entry.strips.clear()
