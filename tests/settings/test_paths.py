"""Where the user's files lie."""

import sys
from pathlib import Path

import pytest

from assistants_tui.settings.paths import user_paths


@pytest.mark.skipif(sys.platform != "linux", reason="XDG directories")
def test_xdg_variables_are_honoured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    paths = user_paths()
    app = "assistants-tui"
    assert paths.config_file == tmp_path / "CONFIG" / app / "config.toml"
    assert paths.themes_dir == tmp_path / "CONFIG" / app / "themes"
    assert paths.threads_file == tmp_path / "DATA" / app / "threads.toml"
    assert paths.state_file == tmp_path / "STATE" / app / "state.toml"
    assert paths.cache_dir == tmp_path / "CACHE" / app
    assert paths.engine_dir("local").is_relative_to(paths.data_dir)
    assert paths.engine_dir("local") != paths.engine_dir("other")
    assert paths.functions_dir.parent == paths.config_file.parent
    assert {paths.approvals_file.parent, paths.calls_log.parent} == {paths.state_file.parent}
    assert [*tmp_path.iterdir()] == []


def test_without_them_everything_lies_below_the_home(empty_machine: Path) -> None:
    paths = user_paths()
    assert paths.config_file.is_relative_to(empty_machine)
    assert paths.downloads_dir.is_relative_to(empty_machine)
