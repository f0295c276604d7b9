"""Why a file could not be taken in."""

from typing import Literal

ErrorCode = Literal["unsupported_file", "invalid_file", "server_error"]


class IngestError(Exception):
    """A file that cannot be searched, with what a vector store file's `last_error` tells its user.

    `code` is `unsupported_file` for kinds of files that are not read, `invalid_file` for files that cannot be
    read, and `server_error` where a limit of ours was reached or something broke here.
    """

    def __init__(self, code: ErrorCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code: ErrorCode = code
        self.sentence = sentence
