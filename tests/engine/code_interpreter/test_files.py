"""Files of a thread: copied in, changed and created by code, handed back, whatever hostile code does."""

from pathlib import Path

import pytest

from assistants_tui.engine.code_interpreter import CreatedFile
from support.code_interpreter import OpenInterpreter, Thread

MIB = 1 << 20
BOTH = pytest.mark.parametrize("sandbox", ["bubblewrap", "landlock"])


def by_name(files: tuple[CreatedFile, ...]) -> dict[str, bytes]:
    assert len({file.name for file in files}) == len(files)
    for file in files:
        assert file.path.stat().st_size == file.size
        assert file.path.stat().st_mode & 0o777 == 0o600
        assert file.name not in str(file.path)
    return {file.name: file.path.read_bytes() for file in files}


@BOTH
async def test_created_and_changed_files_come_back_once(
    open_interpreter: OpenInterpreter, sandbox: str
) -> None:
    thread = Thread(await open_interpreter(sandbox))
    execution = await thread.run(
        "import os\nos.chdir('/mnt/data')\n"
        "open('table.csv', 'w').write('a,b')\n"
        "os.makedirs('charts/old'); open('charts/old/one.txt', 'w').write('1')\n"
        "open('/mnt/data/.hidden', 'w').write('x'); os.mkdir('.cache'); open('.cache/x', 'w').write('x')\n"
        "open('picture.png', 'wb').write(b'\\x89PNG\\r\\n\\x1a\\n'); open('fake.png', 'w').write('<script>')"
    )
    assert by_name(execution.files) == {
        "table.csv": b"a,b",
        "charts/old/one.txt": b"1",
        "picture.png": b"\x89PNG\r\n\x1a\n",
        "fake.png": b"<script>",
    }
    assert {file.name: file.media_type for file in execution.files} == {
        "table.csv": "application/csv",
        "charts/old/one.txt": "text/plain",
        "picture.png": "image/png",
        "fake.png": "application/octet-stream",
    }
    first = {file.name: file.path for file in execution.files}
    execution = await thread.run("open('table.csv', 'a').write(',c'); os.remove('fake.png'); 1/0")
    assert execution.status == "error"
    assert by_name(execution.files) == {"table.csv": b"a,b,c"}
    assert not first["table.csv"].exists()
    assert (await thread.run("os.listdir()")).files == ()
    assert (await thread.run("os.rename('table.csv', 'moved.csv')")).files[0].name == "moved.csv"


@BOTH
async def test_files_are_copied_in_once(
    open_interpreter: OpenInterpreter, sandbox: str, tmp_path: Path
) -> None:
    source = tmp_path / "file-1"
    source.write_text("original", encoding="utf-8")
    files = {"data (1).csv": source}
    thread = Thread(await open_interpreter(sandbox))
    read = "print(open('/mnt/data/data (1).csv').read())"
    execution = await thread.run(read, files)
    assert (thread.logs, execution.files) == ("original\n", ())
    execution = await thread.run("open('/mnt/data/data (1).csv', 'w').write('edited')", files)
    assert by_name(execution.files) == {"data (1).csv": b"edited"}
    await thread.run(read, files)
    assert thread.logs == "edited\n"  # what code changed stays changed
    assert source.read_text(encoding="utf-8") == "original"
    source.write_text("newer version", encoding="utf-8")
    execution = await thread.run(read, files)
    assert (thread.logs, execution.files) == ("newer version\n", ())
    await thread.run("import os; os.remove('/mnt/data/data (1).csv')", files)
    await thread.run(read, files)
    assert thread.logs == "newer version\n"  # what was attached is there


async def test_names_are_made_safe_and_different(thread: Thread, tmp_path: Path) -> None:
    files = {}
    for number, name in enumerate(
        ("../../escape.csv", "a.txt", "A.TXT", "/etc/passwd", "x\ny", "", "n" * 300)
    ):
        files[name] = tmp_path / f"file-{number}"
        files[name].write_text(str(number), encoding="utf-8")
    execution = await thread.run(
        "import os; os.chdir('/mnt/data'); print({name: open(name).read() for name in sorted(os.listdir())})",
        files,
    )
    assert execution.status == "ok"
    assert thread.logs.strip() == str(
        {
            "A (2).TXT": "2",
            "_._.._escape.csv": "0",
            "_etc_passwd": "3",
            "a.txt": "1",
            "file": "5",
            "n" * 200: "6",
            "x_y": "4",
        }
    )


async def test_a_file_that_cannot_be_copied_is_said(thread: Thread, tmp_path: Path) -> None:
    await thread.run("import os; os.mkdir('/mnt/data/taken')")
    there = tmp_path / "there"
    there.write_text("there", encoding="utf-8")
    execution = await thread.run("print('ran')", {"taken": there, "gone": tmp_path / "gone", "there": there})
    assert execution.status == "ok"
    assert "[taken could not be copied to /mnt/data: Is a directory.]" in thread.logs
    assert "[gone could not be copied to /mnt/data: No such file or directory.]" in thread.logs
    assert thread.logs.endswith("ran\n")
    await thread.run("print(open('/mnt/data/there').read(), os.listdir('/mnt/data/taken'))")
    assert thread.logs == "there []\n"


async def test_links_planted_for_incoming_files_are_replaced(
    open_interpreter: OpenInterpreter, tmp_path: Path
) -> None:
    thread = Thread(await open_interpreter("bubblewrap"))
    victim = tmp_path / "victim"
    victim.write_text("precious", encoding="utf-8")
    source = tmp_path / "source"
    source.write_text("incoming", encoding="utf-8")
    await thread.run(f"import os; os.symlink({str(victim)!r}, '/mnt/data/in.csv')")
    await thread.run(
        "print(open('/mnt/data/in.csv').read(), os.path.islink('/mnt/data/in.csv'))", {"in.csv": source}
    )
    assert thread.logs == "incoming False\n"
    assert victim.read_text(encoding="utf-8") == "precious"


async def test_nothing_but_plain_files_is_collected(
    open_interpreter: OpenInterpreter, tmp_path: Path
) -> None:
    thread = Thread(await open_interpreter("bubblewrap"))
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "id_rsa").write_text("SECRET", encoding="utf-8")
    execution = await thread.run(
        "import os, socket, stat\nos.chdir('/mnt/data')\n"
        "os.symlink('/etc/passwd', 'passwd.csv')\n"
        f"os.symlink({str(folder / 'id_rsa')!r}, 'key.csv'); os.symlink({str(folder)!r}, 'home')\n"
        "os.symlink('/proc/self/environ', 'environ.txt'); os.symlink('loop', 'loop')\n"
        "os.mkfifo('pipe.csv'); socket.socket(socket.AF_UNIX).bind('socket.csv')\n"
        "open('twice.csv', 'w').write('x'); os.link('twice.csv', 'again.csv')\n"
        "open('setuid', 'w').write('x'); os.chmod('setuid', 0o4777)\n"
        "open('unreadable.txt', 'w').write('x'); os.chmod('unreadable.txt', 0)\n"
        "open('good.csv', 'w').write('good')"
    )
    assert execution.status == "ok"
    files = by_name(execution.files)
    files.pop("unreadable.txt", None)  # only the superuser can read it
    assert files == {"good.csv": b"good", "setuid": b"x"}
    assert "SECRET" not in str(files)


@BOTH
async def test_names_of_created_files_are_safe(open_interpreter: OpenInterpreter, sandbox: str) -> None:
    thread = Thread(await open_interpreter(sandbox))
    names = [
        b"new\nline.csv",
        b"\x1b[31mred.csv",
        b"\xff\xfe.csv",
        "\u202egpj.exe".encode(),
        b"-rf",
        b"back\\slash",
        b"x" * 255,
        b"[bold]markup.csv",
    ]
    execution = await thread.run(f"for name in {names!r}: open(b'/mnt/data/' + name, 'w').close()")
    assert execution.status == "ok"
    assert sorted(file.name for file in execution.files) == sorted(
        [
            "new_line.csv",
            "_[31mred.csv",
            "__.csv",
            "_gpj.exe",
            "-rf",
            "back_slash",
            "x" * 200,
            "[bold]markup.csv",
        ]
    )


@BOTH
async def test_too_large_too_many_too_deep(open_interpreter: OpenInterpreter, sandbox: str) -> None:
    thread = Thread(await open_interpreter(sandbox, created_files=3, file_bytes=4 * MIB))
    execution = await thread.run("for n in range(5): open(f'/mnt/data/{n}.txt', 'w').write('x')")
    assert len(execution.files) == 3
    assert "[2 more files were created and not handed back; put them into one archive.]" in thread.logs
    execution = await thread.run(
        "import os, resource\n"
        "file = open('/mnt/data/sparse', 'w')\n"
        "try: os.truncate(file.fileno(), 1 << 40)\nexcept OSError as error: print(error.strerror)\n"
        "deep = '/mnt/data' + '/d' * 40\nos.makedirs(deep); open(deep + '/deep.txt', 'w').write('x')"
    )
    assert "File too large" in thread.logs
    assert by_name(execution.files) == {"sparse": b""}


async def test_a_file_swapped_while_it_is_collected(
    open_interpreter: OpenInterpreter, tmp_path: Path
) -> None:
    thread = Thread(await open_interpreter("bubblewrap"))
    secret = tmp_path / "secret"
    secret.write_text("SECRET", encoding="utf-8")
    await thread.run(
        "import os, threading\nos.chdir('/mnt/data')\n"
        f"os.symlink({str(secret)!r}, 'link'); os.mkdir('folder'); open('folder/f', 'w').write('plain')\n"
        "def swap():\n"
        "    n = 0\n"
        "    while True:\n"
        "        n += 1\n"
        "        open('plain', 'w').write('plain' * (n % 7)); os.rename('plain', 'swapped')\n"
        "        os.symlink(" + repr(str(secret)) + ", 'next'); os.rename('next', 'swapped')\n"
        "        os.rename('folder', 'away'); os.symlink(" + repr(str(tmp_path)) + ", 'folder')\n"
        "        os.unlink('folder'); os.rename('away', 'folder')\n"
        "threading.Thread(target=swap, daemon=True).start()"
    )
    for _ in range(20):
        execution = await thread.run("None")
        assert execution.status == "ok"
        for file in execution.files:
            assert b"SECRET" not in file.path.read_bytes()
            assert file.name in {"swapped", "plain", "folder/f", "away/f"}


async def test_files_survive_the_kernel_and_the_application(
    open_interpreter: OpenInterpreter, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.write_text("attached", encoding="utf-8")
    thread = Thread(await open_interpreter())
    await thread.run(
        "open('/mnt/data/made', 'w').write('made'); open('/mnt/data/in', 'a').write('!')", {"in": source}
    )
    await thread.run("import os; os._exit(0)", {"in": source})
    read = "print(open('/mnt/data/made').read(), open('/mnt/data/in').read())"
    assert (await thread.run(read, {"in": source})).files == ()
    assert thread.logs == "made attached!\n"
    await thread.interpreter.close()
    again = Thread(await open_interpreter())
    assert (await again.run(read, {"in": source})).files == ()
    assert again.logs == (
        "[The session was restarted. Variables are lost; the files in /mnt/data are kept.]\nmade attached!\n"
    )
    other = Thread(again.interpreter, "thread_2")
    await other.run("import os; print(os.listdir('/mnt/data'))")
    assert other.logs == "[]\n"


async def test_a_closed_thread_leaves_no_files(open_interpreter: OpenInterpreter, tmp_path: Path) -> None:
    thread = Thread(await open_interpreter())
    await thread.run("open('/mnt/data/private', 'w').write('private')")
    assert list((tmp_path / "data").rglob("private"))
    await thread.interpreter.close_thread(thread.name)
    assert not list((tmp_path / "data").rglob("private"))
    await thread.run("import os; print(os.listdir('/mnt/data'))")
    assert thread.logs == "[]\n"


async def test_folders_of_threads_are_private_whatever_their_ids(
    open_interpreter: OpenInterpreter, tmp_path: Path
) -> None:
    interpreter = await open_interpreter()
    for name in ("../../outside", "/abs", "thread_\x00", ""):
        assert (await Thread(interpreter, name).run("1")).status == "ok"
    folders = list((tmp_path / "data" / "threads").iterdir())
    assert len(folders) == 4
    for folder in folders:
        assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
