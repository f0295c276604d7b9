"""Why a file could not be taken in."""

from assistants_tui.protocol.error_codes import FileErrorCode


class IngestError(Exception):
    """A file that cannot be searched, with what a vector store file's `last_error` tells its user.

    `code` is `unsupported_file` for kinds of files that are not read, `invalid_file` for files that cannot be
    read, and `server_error` where a limit of ours was reached or something broke here.
    """

    def __init__(self, code: FileErrorCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code: FileErrorCode = code
        self.sentence = sentence
