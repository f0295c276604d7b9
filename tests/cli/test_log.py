"""What goes wrong inside is written to a file of the user's own, never over the screen."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistants_tui.cli.log import log_to_file


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    logger = logging.getLogger()
    before, level = logger.handlers[:], logger.level
    yield
    for handler in logger.handlers:
        handler.close()
    logger.handlers[:] = before
    logger.setLevel(level)


def test_warnings_go_to_a_private_file_and_not_to_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "state" / "app.log"
    log_to_file(path)
    logging.getLogger("assistants_tui.engine").warning("the disk is %s", "slow")
    logging.getLogger("somewhere").info("nothing of interest")
    assert "WARNING assistants_tui.engine: the disk is slow" in path.read_text()
    assert "nothing of interest" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("place", ["file instead of a folder", "link"])
def test_a_log_that_cannot_be_written_is_done_without(
    place: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("mine")
    if place == "link":
        path = tmp_path / "app.log"
        path.symlink_to(tmp_path / "taken")
    else:
        path = tmp_path / "taken" / "app.log"
    log_to_file(path)
    logging.getLogger("assistants_tui").error("nobody hears it")
    assert (tmp_path / "taken").read_text() == "mine"
    assert capfd.readouterr() == ("", "")
