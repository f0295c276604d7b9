"""What is published: the wheel and the source archive hold everything, and install into an empty place."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from assistants_tui import __version__
from assistants_tui.tui.themes import bundled_folder

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both packages, built as `pip` and `uv` do, but without a download."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def test_the_packages_hold_everything(built: Path) -> None:
    (wheel,), (archive,) = built.glob("*.whl"), built.glob("*.tar.gz")
    assert wheel.name.startswith(f"assistants_tui-{__version__}-")
    with zipfile.ZipFile(wheel) as packed:
        held = set(packed.namelist())
    source = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src/assistants_tui").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    themes = {f"assistants_tui/themes/{path.name}" for path in bundled_folder().glob("*.toml")}
    assert source | themes <= held
    assert "assistants_tui/py.typed" in held
    assert any(name.endswith("licenses/LICENSE") for name in held)
    assert all(name.startswith(("assistants_tui/", "assistants_tui-")) for name in held)
    with tarfile.open(archive) as packed_source:
        names = {name.partition("/")[2] for name in packed_source.getnames()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "themes/ink.toml"} <= names


def test_the_wheel_works_where_nothing_of_ours_is(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    place = tmp_path / "environment"
    venv.create(place, with_pip=False, symlinks=True)
    packages = place / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    python = str(place / "bin/python")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index",
         str(wheel)],
        check=True, timeout=120,
    )  # fmt: skip
    # what it depends on comes from here, not from the network; our own checkout stays out
    dependencies = next(path for path in sys.path if path.endswith("site-packages"))
    environment = os.environ | {"PYTHONPATH": dependencies, "PYTHONWARNINGS": "error"}
    program = str(place / "bin/assistants-tui")
    shown = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=60, env=environment, check=True
    )
    assert shown.stdout == f"assistants-tui {__version__}\n"
    asked = (
        "import assistants_tui\n"
        "from assistants_tui.tui.themes import bundled_folder, load_themes\n"
        "print(assistants_tui.__file__)\n"
        "print(bundled_folder())\n"
        "print(len(load_themes(bundled_folder()).themes))"
    )
    told = subprocess.run(
        [python, "-c", f"import sys; sys.path.insert(0, {str(packages)!r})\n{asked}"],
        capture_output=True, text=True, timeout=60, env=environment, check=True, cwd=tmp_path,
    ).stdout.split()  # fmt: skip
    assert told[0].startswith(str(packages))
    assert told[1].startswith(str(packages))
    assert int(told[2]) == len(list(bundled_folder().glob("*.toml")))


def test_versions_of_python_are_promised_once() -> None:
    assert PROJECT["requires-python"] == ">=3.11"
    versions = [line[-4:] for line in PROJECT["classifiers"] if "Python :: 3." in line]
    assert versions == ["3.11", "3.12", "3.13", "3.14"]
    assert PROJECT["dynamic"] == ["version"]
    assert __version__ not in (ROOT / "pyproject.toml").read_text("utf-8")


def test_every_dependency_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    users = text[text.index("dependencies = [") : text.index("dev = [")]
    unexplained = [
        line for line in users.splitlines() if line.startswith('    "') and not re.search(r'",\s+# \w', line)
    ]
    assert unexplained == []


def test_the_change_log_tells_of_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"(?m)^## (\S+)", text)
    assert text.startswith("# Changelog\n")
    assert headings[0] in ("Unreleased", __version__)
    assert all(section.count("\n- ") for section in text.split("\n## ")[1:]), "a version without changes"
    for command in ("ask", "serve", "doctor", "completion"):
        assert f"`{command}" in text
