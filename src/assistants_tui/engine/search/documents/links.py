"""The addresses of links, which stand beside the words that are shown for them."""

import re

from assistants_tui.engine.search.documents.document import clean, one_line

_MAX_ADDRESS = 2_000  # characters; longer ones carry data, not an address that anybody would look for
_NO_ADDRESS = re.compile(r"(?:javascript|data|about|blob|vbscript):", re.IGNORECASE)
_SCHEME = re.compile(r"^(?:https?://|mailto:|tel:)", re.IGNORECASE)


class Links:
    """Says of each link of a page or part what to write after its words. An address is written once."""

    def __init__(self) -> None:
        self._written: set[str] = set()

    def address(self, target: str, words: str = "") -> str:
        """The address that a link leads to; empty if it needs no writing.

        That is so for a program, and for what the words say themselves.
        """
        address = one_line(clean(target))
        if not address or address in self._written or len(address) > _MAX_ADDRESS:
            return ""
        if _NO_ADDRESS.match(address) or _SCHEME.sub("", address).rstrip("/") in words:
            return ""
        self._written.add(address)
        return address

    def after(self, words: str, target: str) -> str:
        """What follows the words of a link in running text: its address in brackets, or nothing."""
        address = self.address(target, words)
        return f" ({address})" if address else ""
