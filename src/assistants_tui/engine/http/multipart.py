"""Forms with one file in them, whose bytes go to the disk as they arrive.

The form data of the web, RFC 7578. Only the file may be large; it is never held in memory.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError, MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from assistants_tui.engine.http.body_stream import chunks_of, refuse_longer
from assistants_tui.engine.http.errors import ApiError, bad_request, shown
from assistants_tui.engine.store.blobs import BlobStore, BlobTooLargeError, BlobWriter

_MAX_FIELD = 64 * 1024  # bytes of a part that is not the file
_MAX_PARTS = 32


@dataclass
class Form:
    """The parts of a form: plain fields by name, and the file as a finished blob."""

    fields: dict[str, str] = field(default_factory=dict)
    filename: str | None = None
    blob: str | None = None
    bytes: int = 0


async def read_form(request: Request, blobs: BlobStore, file_field: str, limit: int) -> Form:
    """Read a form whose part `file_field` is a file of at most `limit` bytes.

    The caller owns the blob from then on. Raises `ApiError`, and then nothing is left on the disk.
    """
    too_large = ApiError(
        413, f"The file is larger than {limit} bytes, which is the most it can have.", param=file_field
    )
    refuse_longer(request, limit + _MAX_FIELD, too_large)  # what stands around the file is short
    try:
        reader = _Reader(_boundary(request), blobs, file_field, limit)
    except FormParserError as error:  # the boundary is too long
        raise _unreadable(error) from None
    try:
        return await reader.read(chunks_of(request))
    except BlobTooLargeError:
        raise too_large from None
    except (FormParserError, UnicodeDecodeError) as error:
        raise _unreadable(error) from None
    finally:
        await reader.close()


def _unreadable(error: Exception) -> ApiError:
    return bad_request(f"We could not parse the multipart body of your request: {error}")


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise bad_request("The body of this request must be multipart/form-data, with a boundary.")
    return boundary


class _Reader:
    """Listens to the parser, which knows nothing of files or waiting, and then does what there is to do."""

    def __init__(self, boundary: bytes, blobs: BlobStore, file_field: str, limit: int) -> None:
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._whole,
            },
        )
        self._blobs = blobs
        self._file_field = file_field
        self._limit = limit
        self._form = Form()
        self._writer: BlobWriter | None = None
        self._pieces: list[bytes] = []  # of the file, not written yet
        self._header = (b"", b"")
        self._disposition = b""
        self._name = ""
        self._value = bytearray()
        self._in_file = False
        self._parts = 0
        self._complete = False

    async def read(self, chunks: AsyncIterator[bytes]) -> Form:
        async for chunk in chunks:
            self._parser.write(chunk)
            if self._writer is not None and self._pieces:
                pieces, self._pieces = self._pieces, []
                await self._writer.write(b"".join(pieces))
        if not self._complete:
            raise MultipartParseError("it ends too early")
        if self._writer is not None:
            await self._writer.finish()
            self._form.blob, self._form.bytes = self._writer.name, self._writer.bytes
            self._writer = None
        return self._form

    async def close(self) -> None:
        """Forget a file that was not read to its end."""
        if self._writer is not None:
            await self._writer.discard()

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise MultipartParseError(f"it has more than {_MAX_PARTS} parts")
        self._header = (b"", b"")
        self._disposition = b""
        self._value = bytearray()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0] + data[start:end], self._header[1])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0], self._header[1] + data[start:end])

    def _header_end(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            if self._disposition:
                raise MultipartParseError("a part has two headers Content-Disposition")
            self._disposition = value
        self._header = (b"", b"")

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"name" not in options:
            raise MultipartParseError("a part has no name")
        self._name = options[b"name"].decode()
        if self._name in self._form.fields:
            raise MultipartParseError(f"it has more than one part '{shown(self._name)}'")
        self._in_file = self._name == self._file_field
        if not self._in_file:
            return
        if self._writer is not None:
            raise MultipartParseError(f"it has more than one part '{self._file_field}'")
        self._form.filename = options.get(b"filename", b"").decode(errors="replace")
        self._writer = self._blobs.writer(self._limit)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._pieces.append(data[start:end])
            return
        self._value += data[start:end]
        if len(self._value) > _MAX_FIELD:
            raise MultipartParseError(f"the field '{self._name}' is longer than {_MAX_FIELD} bytes")

    def _end(self) -> None:
        if not self._in_file:
            self._form.fields[self._name] = self._value.decode()

    def _whole(self) -> None:
        self._complete = True
