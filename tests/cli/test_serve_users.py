"""`serve` without keys is for the programs of one user, on a port and at a Unix socket."""

import os
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx2
import pytest
from openai import AsyncOpenAI

from assistants_tui import addresses
from assistants_tui.cli.listeners import ListenError, SocketFile, listen_on, resolve
from assistants_tui.service.client.backend import open_backend
from assistants_tui.service.client.profile_trial import try_profile
from assistants_tui.service.errors import ServiceError
from assistants_tui.settings.config import Profile
from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.paths import user_paths
from support.other_user import NOBODY, ask, needs_root, program
from support.serve_command import ServeCommand, serve_command
from support.terminal import COMMAND


def request(method: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"{method} /v1/threads HTTP/1.1", "Host: localhost", "OpenAI-Beta: assistants=v2", *headers]
    lines += ["Connection: close", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def answer_for(uid: int, server: ServeCommand, content: bytes, *, wait: bool = True) -> bytes:
    address = urlsplit(server.url)
    with program(
        uid, lambda: ask(socket.AF_INET, (address.hostname, address.port), content, wait=wait)
    ) as answer:
        return answer


@needs_root
async def test_another_user_is_refused_on_a_port(tmp_path: Path) -> None:
    async with serve_command(tmp_path) as server:
        refused = answer_for(NOBODY, server, request("POST"))
        assert refused.startswith(b"HTTP/1.1 403 ")
        assert b"only for programs of the user who serves it" in refused and b"--any-user" in refused
        key = request("GET", b"", "Authorization: Bearer any-key-at-all")
        assert answer_for(NOBODY, server, key).startswith(b"HTTP/1.1 403 ")
        for _ in range(20):  # nobody is left to look up when it is read
            assert answer_for(NOBODY, server, request("POST"), wait=False) == b"sent"
        assert answer_for(os.geteuid(), server, request("POST")).startswith(b"HTTP/1.1 200 ")
        async with AsyncOpenAI(api_key="dummy", base_url=f"{server.url}/v1") as sdk:
            await sdk.beta.assistants.create(model="offline-tutor")
        async with httpx2.AsyncClient(base_url=server.url, headers={"OpenAI-Beta": "assistants=v2"}) as http:
            assert len((await http.get("/v1/threads")).json()["data"]) == 1


@needs_root
async def test_every_user_gets_in_where_that_is_said_and_with_a_key(tmp_path: Path) -> None:
    async with serve_command(tmp_path / "open", "--any-user") as server:
        assert answer_for(NOBODY, server, request("POST")).startswith(b"HTTP/1.1 200 ")
    keys = tmp_path / "keys"
    keys.write_text("anna: key-of-anna\n")
    keys.chmod(0o600)
    async with serve_command(tmp_path / "keys-data", "--api-key-file", str(keys)) as server:
        key = request("GET", b"", "Authorization: Bearer key-of-anna")
        assert answer_for(NOBODY, server, key).startswith(b"HTTP/1.1 200 ")
        assert answer_for(NOBODY, server, request("GET")).startswith(b"HTTP/1.1 401 ")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: that of a socket has at most 107 bytes, on some systems 103."""
    with TemporaryDirectory(prefix="at-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


async def test_a_socket_is_for_its_owner_alone_and_goes_with_the_server(tmp_path: Path, folder: Path) -> None:
    path = folder / "engine.sock"
    async with serve_command(tmp_path, "--socket", str(path)) as server:
        assert server.url == f"unix://{path}"
        mode = path.lstat().st_mode
        assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600
        transport = httpx2.AsyncHTTPTransport(uds=str(path))
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
            assert (await http.get("/v1/models")).status_code == 200
        profile = Profile("engine", "openai", base_url=server.url)
        trial = await try_profile(profile, None)
        assert trial.words == "It answers, and lists its assistants."
        backend = await open_backend(profile, paths=user_paths())
        thread = await backend.threads.create()
        await backend.client.post(f"threads/{thread['id']}/messages", {"role": "user", "content": "2 + 3"})
        tutor = next(one for one in await backend.assistants.list() if one["name"] == "Math Tutor")
        states = [state async for state in backend.runs.start(thread["id"], tutor["id"])]
        assert states[-1].status == "completed"
        await backend.close()
        if os.geteuid() == 0:
            with program(NOBODY, lambda: ask(socket.AF_UNIX, str(path), request("GET"))) as answer:
                assert answer == b"PermissionError"
        second = subprocess.run(
            [COMMAND, "serve", "--socket", str(path), "--data-dir", str(tmp_path / "second")],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert second.returncode == 1
        assert "a server runs at" in second.stderr and "choose another name with --socket" in second.stderr
        assert path.exists()
        code, _ = await server.interrupt()
        assert code == 130 and not path.exists()
    with pytest.raises(ServiceError, match=f"Nothing listens at the socket {path}|connection to the socket"):
        await try_profile(profile, None)


def test_a_profile_may_lead_to_a_socket(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[profiles.a]\nkind = "openai"\nbase_url = "unix:///run/user/1/engine%20b.sock"\n')
    loaded = load_config(config)
    assert loaded.problems == ()
    assert addresses.socket_path(loaded.config.profiles["a"].base_url or "") == "/run/user/1/engine b.sock"
    config.write_text('[profiles.a]\nkind = "embedded"\nmodel_url = "unix:///x"\n')
    assert "model_url is 'unix:///x'; it must be a URL" in str(load_config(config).problems[0])


async def test_a_socket_is_removed_by_the_end_that_services_get(tmp_path: Path, folder: Path) -> None:
    path = folder / "engine.sock"
    async with serve_command(tmp_path, "--socket", str(path)) as server:
        os.kill(server.pid, 15)
        await server.ended()
        assert not path.exists()


async def test_what_a_killed_server_left_is_replaced(tmp_path: Path, folder: Path) -> None:
    path = folder / "engine.sock"
    async with serve_command(tmp_path, "--socket", str(path)) as server:
        os.kill(server.pid, 9)
        await server.ended()
        assert path.exists()
    async with serve_command(tmp_path, "--socket", str(path)) as server:
        transport = httpx2.AsyncHTTPTransport(uds=str(path))
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
            assert (await http.get("/v1/models")).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--socket", "x.sock", "--port", "1"), "give --socket, or --host and --port"),
        (("--socket", "x.sock", "--any-user"), "a socket is for you alone"),
        (("--host", "0.0.0.0"), "so keys are required"),
        (("--host", "0"), "so keys are required"),
        (("--host", "::"), "so keys are required"),
        (("--port", "70000"), "it must be a number from 0 to 65535"),
        (("--port", "-1"), "it must be a number from 0 to 65535"),
        (("--allow-host", "https://example.org"), "it must be a name alone"),
        (("--model-url", "http://ä..de/v1"), "it must be a URL"),
    ],
)
def test_what_does_not_go_together(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    done = subprocess.run(
        [COMMAND, "serve", *arguments], check=False, capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.returncode == 2 and says in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--host", "nobody.invalid"), "cannot find the host 'nobody.invalid'"),
        (
            ("--host", "ä..de"),
            "cannot find the host 'ä..de' (no name of a host). Choose another with --host.",
        ),
        (("--host", "192.0.2.1", "--api-key-file", "keys"), "Choose another host with --host."),
    ],
)
def test_hosts_that_cannot_be_listened_on(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    keys = tmp_path / "keys"
    keys.write_text("anna: key-of-anna\n")
    keys.chmod(0o600)
    done = subprocess.run(
        [COMMAND, "serve", "--data-dir", "data", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
    )
    assert done.returncode == 1 and says in done.stderr and "--port" not in done.stderr


async def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=rf"127\.0\.0\.1:{port} .* Choose another port with --port\."):
            listen_on(resolve("127.0.0.1", port))


async def test_this_computer_alone_can_be_written_in_many_ways(tmp_path: Path) -> None:
    async with serve_command(tmp_path, "--host", "127.1") as server:
        assert server.url.startswith("http://127.0.0.1:")


class TestSocketFile:
    def test_nothing_but_an_abandoned_socket_is_replaced(self, folder: Path) -> None:
        file, link, taken = folder / "file", folder / "link", folder / "taken"
        file.write_text("mine")
        link.symlink_to(file)
        for path in (file, link, folder):
            with pytest.raises(ListenError, match=r"is there already, and is no socket|cannot make"):
                SocketFile(path)
        assert file.read_text() == "mine" and link.is_symlink()
        first = SocketFile(taken)
        with pytest.raises(ListenError, match="a server runs at"):
            SocketFile(taken)
        first.listener.close()
        second = SocketFile(taken)
        first.remove()  # it is not its own any more
        assert taken.exists()
        second.remove()
        second.remove()
        assert not taken.exists()
        second.listener.close()

    def test_a_server_whose_queue_is_full_is_alive(self, folder: Path) -> None:
        path = folder / "busy"
        with socket.socket(socket.AF_UNIX) as busy:
            busy.bind(str(path))
            busy.listen(0)
            waiting = [socket.socket(socket.AF_UNIX) for _ in range(3)]
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(str(path))
            with pytest.raises(ListenError, match="a server runs at"):
                SocketFile(path)
            for one in waiting:
                one.close()

    @pytest.mark.parametrize("path", ["nowhere/x", "x" * 200])
    def test_a_place_that_will_not_do(self, folder: Path, path: str) -> None:
        with pytest.raises(ListenError, match=r"cannot make the socket .*Choose another place"):
            SocketFile(folder / path)

    def test_a_folder_of_everybody(self, folder: Path) -> None:
        folder.chmod(0o777)
        with pytest.raises(ListenError, match="every user can replace files"):
            SocketFile(folder / "x")
        folder.chmod(0o1777)
        made = SocketFile(folder / "x")
        made.remove()
        made.listener.close()
