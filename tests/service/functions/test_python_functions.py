"""The user's Python functions: found without running them, called in a process of their own."""

import json
import os
import py_compile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from assistants_tui.service.functions.python_functions import PythonFunctions
from assistants_tui.service.functions.registry import (
    MAX_OUTPUT,
    CallFailedError,
    Function,
    Functions,
    read_arguments,
    shortened,
)
from assistants_tui.settings.config import FunctionSettings
from support.processes import until_ended

TIDES = '''
import asyncio, datetime, enum, os, subprocess, sys, time
from dataclasses import dataclass
from _helper import double

print("loaded")

class Unit(enum.Enum):
    METRE = "m"
    FOOT = "ft"

@dataclass
class Tide:
    port: str
    height: float

def tide(port: str, unit: Unit = Unit.METRE) -> Tide:
    """The height of the tide.

    Args:
        port: The name of a port.
    """
    print("asked for", port)
    return Tide(port, 0.4 if unit is Unit.METRE else 1.3)

async def later(day: datetime.date, /, times: int = 1) -> str:
    await asyncio.sleep(0)
    return f"{day:%d.%m.}" * double(times)

def breaks(port: str):
    raise ValueError(f"no port {port}")

def leaves():
    sys.exit("bye")

def sleeps(note: str):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    open(note, "w").write(f"{os.getpid()} {child.pid}")
    time.sleep(600)

def dies():
    os._exit(3)

def _private(): ...
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "functions"
    folder.mkdir()
    (folder / "tides.py").write_text(TIDES)
    (folder / "_helper.py").write_text("def double(n):\n    return 2 * n\n")
    return folder


async def call(folder: Path, name: str, *, timeout: float = 60, **arguments: object) -> str:
    functions = Functions([PythonFunctions(folder, FunctionSettings(timeout=timeout))])
    function = (await functions.catalogue()).functions[name]
    return await functions.call(name, function.fingerprint, arguments)


async def test_the_folder_is_read_without_running_it(folder: Path) -> None:
    (folder / "bad.py").write_text("def broken(:\n")
    (folder / "again.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\ndef tide(): ...\n")
    (folder / "binary.py").write_bytes(b"\xff\xfe")
    catalogue = await Functions([PythonFunctions(folder, FunctionSettings())]).catalogue()
    assert [*catalogue.functions] == ["tide", "later", "breaks", "leaves", "sleeps", "dies"]
    assert catalogue.functions["tide"].place == "again.py"
    parameters = catalogue.functions["later"].definition["parameters"]
    assert parameters["required"] == ["day"]
    assert not (folder / "ran").exists()
    problems = "\n".join(catalogue.problems)
    for words in (
        "bad.py: Not Python at line 1",
        "binary.py cannot be read",
        "tides.py: tide is also in again.py",
    ):
        assert words in problems


async def test_no_folder_is_no_function(tmp_path: Path) -> None:
    catalogue = await PythonFunctions(tmp_path / "none", FunctionSettings()).catalogue()
    assert (catalogue.functions, catalogue.problems) == ({}, ())


async def test_results_arrive_as_text_and_arguments_as_their_types(folder: Path) -> None:
    assert json.loads(await call(folder, "tide", port="Oulu")) == {"port": "Oulu", "height": 0.4}
    assert json.loads(await call(folder, "tide", port="Oulu", unit="ft"))["height"] == 1.3
    assert await call(folder, "later", day="2026-11-20", times=1) == "20.11.20.11."


PICTURES = """
import struct, zlib
from pathlib import Path

def flag(colour: str, into: Path) -> str:
    \"\"\"Draw a flag of one colour, given as rrggbb, and say where it is as a Markdown picture.\"\"\"
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = (b"\\0" + bytes.fromhex(colour) * 3) * 2
    header = struct.pack(">2I5B", 3, 2, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    file = Path(into) / f"{colour}.png"
    file.write_bytes(b"\\x89PNG\\r\\n\\x1a\\n" + chunks)
    return f"![flag]({file.as_uri()})"
"""


async def test_a_function_can_provide_a_picture(folder: Path, tmp_path: Path) -> None:
    (folder / "pictures.py").write_text(PICTURES)
    told = await call(folder, "flag", colour="ff0000", into=str(tmp_path))
    file = tmp_path / "ff0000.png"
    assert told == f"![flag]({file.as_uri()})"
    with Image.open(file) as picture:
        assert (picture.size, picture.getpixel((2, 1))) == ((3, 2), (255, 0, 0))


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("breaks", {"port": "Nowhere"}, "The function failed with ValueError: no port Nowhere"),
        ("breaks", {}, "missing 1 required positional argument: 'port'"),
        ("leaves", {}, "SystemExit: bye"),
        ("dies", {}, "The function ended without an answer."),
    ],
)
async def test_failures_become_sentences(
    folder: Path, name: str, arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(CallFailedError) as failure:
        await call(folder, name, **arguments)
    assert sentence in str(failure.value)
    assert "Traceback" not in str(failure.value)
    assert "loaded" in failure.value.printed


async def test_the_user_sees_where_it_broke(folder: Path) -> None:
    with pytest.raises(CallFailedError) as failure:
        await call(folder, "breaks", port="x")
    assert "tides.py" in failure.value.printed
    assert "process.py" not in failure.value.printed


async def test_a_call_that_takes_too_long_ends_with_all_it_started(folder: Path, tmp_path: Path) -> None:
    note = tmp_path / "note"
    with pytest.raises(CallFailedError, match="longer than 3 seconds"):
        await call(folder, "sleeps", timeout=3, note=str(note))
    parent, child = map(int, note.read_text().split())
    with pytest.raises(ProcessLookupError):
        os.kill(parent, 0)
    await until_ended(child)


async def test_a_changed_function_is_not_run(folder: Path) -> None:
    functions = Functions([PythonFunctions(folder, FunctionSettings())])
    seen = (await functions.catalogue()).functions["tide"]
    (folder / "tides.py").write_text(TIDES + "\n# changed\n")
    with pytest.raises(CallFailedError, match="changed just now"):
        await functions.call("tide", seen.fingerprint, {"port": "Oulu"})
    (folder / "tides.py").unlink()
    with pytest.raises(CallFailedError, match="no such function"):
        await functions.call("tide", seen.fingerprint, {"port": "Oulu"})


SECRET = """
import os

def shown(name: str) -> str:
    return os.environ.get(name, "nothing")
"""


async def test_functions_see_only_the_environment_that_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "secret.py").write_text(SECRET)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("SHOP_KEY", "sk-shop")
    settings = FunctionSettings(env={"SHOP": "$SHOP_KEY", "MODE": "test"})
    functions = Functions([PythonFunctions(folder, settings)])
    function = (await functions.catalogue()).functions["shown"]

    async def seen(name: str) -> str:
        return await functions.call("shown", function.fingerprint, {"name": name})

    assert await seen("OPENAI_API_KEY") == "nothing"
    assert await seen("SHOP_KEY") == "nothing"
    assert [await seen("SHOP"), await seen("MODE")] == ["sk-shop", "test"]
    assert await seen("PATH") == os.environ["PATH"]
    monkeypatch.delenv("SHOP_KEY")
    with pytest.raises(CallFailedError, match="SHOP_KEY is not set"):
        await seen("SHOP")


@pytest.mark.parametrize("file", ["_helper.py", "parts/deep.py", "parts/inner/__init__.py"])
async def test_a_function_has_changed_when_a_file_that_it_imports_has(folder: Path, file: str) -> None:
    (folder / "parts" / "inner").mkdir(parents=True)
    (folder / "parts" / "deep.py").write_text("WORD = 'deep'\n")
    (folder / "parts" / "inner" / "__init__.py").write_text("WORD = 'inner'\n")
    (folder / "_helper.py").write_text("def double(n):\n    from parts import deep\n    return deep.WORD\n")
    (folder / "main.py").write_text(
        "from _helper import double\nfrom parts.inner import WORD\n\n"
        "def main() -> str:\n    return double(2) + WORD\n"
    )
    (folder / "other.py").write_text("def other(): ...\n")
    functions = Functions([PythonFunctions(folder, FunctionSettings())])
    seen = (await functions.catalogue()).functions["main"]
    assert await functions.call("main", seen.fingerprint, {}) == "deepinner"
    (folder / "other.py").write_text("def other(): return 1\n")
    assert await functions.call("main", seen.fingerprint, {}) == "deepinner"
    with (folder / file).open("a") as changed:
        changed.write("# changed\n")
    assert (await functions.catalogue()).functions["main"].fingerprint != seen.fingerprint
    with pytest.raises(CallFailedError, match="changed just now"):
        await functions.call("main", seen.fingerprint, {})


async def test_only_what_was_seen_can_be_imported(folder: Path) -> None:
    (folder / "random.py").write_text("raise SystemExit('not the one of Python')\n")
    (folder / "plain.py").write_text(
        "import asyncio, tempfile\n\ndef plain() -> str:\n    return tempfile.gettempprefix()\n"
    )
    assert await call(folder, "plain") == "tmp"
    (folder / "any.py").write_text(
        "from importlib import import_module\n\n"
        "def any_module(name: str) -> str:\n    return import_module(name).__name__\n"
    )
    (folder / "late.py").write_text("LATE = 1\n")
    functions = Functions([PythonFunctions(folder, FunctionSettings())])
    seen = (await functions.catalogue()).functions["any_module"]
    assert await functions.call("any_module", seen.fingerprint, {"name": "late"}) == "late"
    (folder / "late.py").write_text("LATE = 2\n")
    with pytest.raises(CallFailedError, match="changed just now"):
        await functions.call("any_module", seen.fingerprint, {"name": "late"})


async def test_compiled_code_that_nobody_has_seen_is_not_run(folder: Path) -> None:
    helper = folder / "_helper.py"
    state, source = helper.stat(), helper.read_text()
    helper.write_text("def double(n):\n    return 666\n".ljust(state.st_size))
    os.utime(helper, ns=(state.st_atime_ns, state.st_mtime_ns))
    py_compile.compile(str(helper))
    helper.write_text(source.ljust(helper.stat().st_size))
    os.utime(helper, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert await call(folder, "later", day="2026-11-20", times=1) == "20.11.20.11."


async def test_too_many_files_are_a_problem_that_is_told(folder: Path) -> None:
    (folder / "many").mkdir()
    for number in range(501):
        (folder / "many" / f"m{number}.py").touch()
    (folder / "all.py").write_text("import many\n\ndef all_of_them(): ...\n")
    catalogue = await PythonFunctions(folder, FunctionSettings()).catalogue()
    assert "all.py: It imports more than 500 files" in catalogue.problems[0]
    assert "all_of_them" not in catalogue.functions


async def test_a_python_that_is_not_there_is_named(folder: Path) -> None:
    functions = PythonFunctions(folder, FunctionSettings(python="/nowhere/python"))
    function = (await functions.catalogue()).functions["tide"]
    with pytest.raises(CallFailedError, match="/nowhere/python cannot be started"):
        await functions.call(function, {"port": "Oulu"})


PLACE = Function(
    {
        "name": "f",
        "parameters": {
            "type": "object",
            "properties": {"n": {"type": "integer"}, "far": {"$ref": "http://localhost:9/schema"}},
            "required": ["n"],
        },
    },
    "f.py",
    "1",
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"n": 1', "Not JSON at line 1"),
        ("[1]", "must be a JSON object"),
        ("{}", "'n' is a required property"),
        ('{"n": "one"}', "n: 'one' is not of type 'integer'"),
        ('{"n": NaN}', "NaN is no JSON number"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_a_reason(text: str, sentence: str) -> None:
    with pytest.raises(CallFailedError) as failure:
        read_arguments(text, PLACE.definition)
    assert sentence in str(failure.value)


def test_arguments_that_fit_are_read() -> None:
    assert read_arguments('{"n": 1}', PLACE.definition) == {"n": 1}
    assert read_arguments('{"n": 1, "far": 2}', PLACE.definition) == {"n": 1, "far": 2}
    assert read_arguments("", None) == {}


def test_long_outputs_are_cut_with_a_note() -> None:
    assert shortened("x" * MAX_OUTPUT) == "x" * MAX_OUTPUT
    cut = shortened("x" * (MAX_OUTPUT + 1))
    assert len(cut) == MAX_OUTPUT
    assert cut.endswith("characters.]")
