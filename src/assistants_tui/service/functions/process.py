"""The other side of `python_functions`: a program that calls one function of the user.

It is started by its path in a process of its own, perhaps under another Python, and imports nothing of the
app. One JSON object comes in on standard input: `source`, `file`, `name`, `arguments`, and `imported`, the
SHA-256 of each file beside `file` that may be imported. One goes out as a line on what standard output was:
`output`, a text, or `error`, a sentence. Whatever the function prints goes to standard error.
"""

import asyncio
import hashlib
import importlib.machinery
import inspect
import json
import os
import sys
import traceback
import typing
from types import ModuleType

if typing.TYPE_CHECKING:
    from collections.abc import Sequence

_SIMPLE = (str, int, float, bool, object, typing.Any, inspect.Parameter.empty)


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # prints of the function must not mix with the answer
    sys.stdout = open(1, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
    order = json.loads(sys.stdin.buffer.read())
    try:
        answer = {"output": _as_text(_call(order))}
    except BaseException as error:  # noqa: BLE001  also SystemExit: the function has no other way to end us
        answer = {"error": _sentence(error)}
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename != __file__]
        sys.stderr.write("".join(traceback.format_list(own)) + _sentence(error) + "\n")
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
    os._exit(0)  # threads that the function left behind do not keep us


def _call(order: "dict[str, typing.Any]") -> object:
    folder = os.path.dirname(order["file"])  # noqa: PTH120  the Python may be as old as the user likes
    # the app's own modules lie beside this file, and would be found under their short names
    del sys.path[0]
    sys.meta_path.insert(0, _Approved(folder, order["imported"]))
    name = os.path.splitext(os.path.basename(order["file"]))[0]  # noqa: PTH119, PTH122
    module = ModuleType(name)
    module.__file__ = order["file"]
    sys.modules[name] = module
    exec(compile(order["source"], order["file"], "exec"), module.__dict__)  # noqa: S102  that is the purpose
    function = getattr(module, order["name"])
    positional, named = _bound(function, order["arguments"])
    result = function(*positional, **named)
    return asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result


class _Approved:
    """Imports from the folder, and of it only what the user has approved, as it was then."""

    def __init__(self, folder: str, imported: "dict[str, str]") -> None:
        self._folder = folder
        self._imported = imported

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "importlib.machinery.ModuleSpec | None":
        for place in [self._folder] if path is None else path:
            if self._relative(place) is None:
                continue
            spec = importlib.machinery.FileFinder(
                place,
                (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES),
                (self._loader(), importlib.machinery.SOURCE_SUFFIXES),
            ).find_spec(name)
            if spec is None:
                continue
            if spec.origin is None:  # a folder of modules
                if any(file.startswith(name.replace(".", "/") + "/") for file in self._imported):
                    return spec
            elif self._relative(spec.origin) in self._imported:
                with open(spec.origin, "rb") as file:  # noqa: PTH123
                    self.check(spec.origin, file.read())
                return spec
        return None

    def check(self, path: str, data: bytes) -> None:
        """Raise `ImportError` if a file is not the one that was approved."""
        if self._imported.get(self._relative(path) or "") != hashlib.sha256(data).hexdigest():
            raise ImportError(f"{path} was changed just now.")

    def _relative(self, path: str) -> "str | None":
        relative = os.path.relpath(path, self._folder).replace(os.sep, "/")
        return None if relative == ".." or relative.startswith("../") else relative

    def _loader(self) -> "type[importlib.machinery.SourceFileLoader]":
        approved = self

        class Loader(importlib.machinery.SourceFileLoader):
            """Reads sources alone: what was compiled of them before is nothing that anybody has seen."""

            def path_stats(self, path: str) -> "typing.Any":
                raise OSError

            def get_data(self, path: str) -> bytes:
                data = super().get_data(path)
                approved.check(path, data)
                return data

        return Loader


async def _awaited(result: "typing.Awaitable[object]") -> object:
    return await result


def _bound(
    function: "typing.Callable[..., object]", arguments: "dict[str, object]"
) -> "tuple[list[object], dict[str, object]]":
    """Arguments by name as the function wants them: in order or by name, and as its type hints say."""
    hints = typing.get_type_hints(function, include_extras=True)
    values = {name: _converted(value, hints.get(name, object)) for name, value in arguments.items()}
    positional = [
        values.pop(name)
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY and name in values
    ]
    return positional, values


def _converted(value: object, hint: typing.Any) -> object:
    """A JSON value as the type of the hint: dates, enumerations, data classes. As it is without pydantic."""
    if hint in _SIMPLE:
        return value
    try:
        import pydantic

        adapter: typing.Any = pydantic.TypeAdapter(hint)
    except Exception:  # noqa: BLE001  not there, or a type of which it makes nothing
        return value
    return adapter.validate_python(value, strict=False)


def _as_text(result: object) -> str:
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, default=_plain)


def _plain(value: typing.Any) -> object:
    """A value that JSON does not know, as one that it does."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    return getattr(value, "value", None) if hasattr(value, "_value_") else str(value)


def _sentence(error: BaseException) -> str:
    words = str(error).strip()
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


if __name__ == "__main__":
    main()
