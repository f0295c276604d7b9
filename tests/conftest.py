"""What every test may rely on: nothing of the machine it runs on, neither home nor terminal nor time zone."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from hypothesis import settings as hypothesis_settings

from assistants_tui.service.client import local_model_servers
from assistants_tui.tui.keyboard import question_guard
from assistants_tui.tui.screens import profile_choices
from support.certificates import read_certificates_once
from support.key_store import KeyStore
from support.pilot import paint_when_a_test_looks, wait_as_long_as_it_gets_on
from support.stylesheets import parse_each_style_sheet_once

hypothesis_settings.register_profile("suite", derandomize=True, deadline=None, database=None)
hypothesis_settings.load_profile("suite")
wait_as_long_as_it_gets_on()
paint_when_a_test_looks()
parse_each_style_sheet_once()
read_certificates_once()
gc.set_threshold(
    50_000, 20, 100
)  # as the app has it: at Python's default a third of the suite's time went there

_KEPT = {
    "PATH",
    "LANG",
    "LD_LIBRARY_PATH",
    "VIRTUAL_ENV",
    "PYTEST_XDIST_WORKER",
    "SSL_CERT_FILE",
    "PYTHONPATH",
}


def pytest_collection_finish() -> None:
    """Leave what all tests share, such as modules, out of the garbage collections to come."""
    gc.collect()
    gc.freeze()


def pytest_xdist_auto_num_workers() -> int:
    """Two workers for each core: tests wait for processes, timers and sockets half of their time."""
    return min(2 * (os.cpu_count() or 1), 8)


@pytest.fixture(autouse=True)
def nobody_types_by_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions take keys at once; the tests of that wait set it again, with a clock of their own."""
    monkeypatch.setattr(question_guard, "SECONDS", 0.0)


@pytest.fixture(autouse=True)
def no_model_server_runs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app looks for them on this computer; the tests of that start one and say where."""
    assert profile_choices.choices(())  # imported before: what the wizard offers stays, found or not
    monkeypatch.setattr(local_model_servers, "KNOWN_ENDPOINTS", ())


@pytest.fixture(autouse=True)
def empty_machine(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """An empty home directory and an environment without keys, proxies or terminal settings."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name not in _KEPT and not name.startswith(("PYTEST_", "COV_", "TMP", "TEXTUAL_SNAPSHOT")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    mask = os.umask(0o022)
    yield home
    os.umask(mask)


@pytest.fixture
def key_store() -> Iterator[KeyStore]:
    """The key store of this computer: an empty one."""
    before, store = keyring.get_keyring(), KeyStore()
    keyring.set_keyring(store)
    yield store
    keyring.set_keyring(before)
