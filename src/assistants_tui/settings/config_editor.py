"""Changes config.toml in place: comments, order and formatting of all else stay as they are.

Each change is made under a lock and written atomically, and the version before lies beside the file.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistants_tui.settings.config import LOCAL, PROFILE_NAME, SERVER_NAME, Profile
from assistants_tui.settings.config_reader import read_config
from assistants_tui.settings.config_template import template
from assistants_tui.settings.files import SettingsError, locked, write_atomic
from assistants_tui.settings.provider_settings import ProviderSettings
from assistants_tui.settings.setting_fields import declared
from assistants_tui.settings.toml_text import line_of, parse_toml, plain

Key = Sequence[str]
"""The tables that lead to a setting, and its name: `("runs", "timeout")`."""


def change_setting(path: Path, key: Key, value: object) -> None:
    """Set a key of the file to a value of TOML; None takes it out, so that the default holds.

    Raises `SettingsError` and changes nothing if the value is not allowed there, if the file is not TOML as
    it stands, or if the disk refuses.
    """
    with locked(path):
        text, document = _read(path)
        now = _found(document, key)
        if now == value and isinstance(now, bool) is isinstance(value, bool):  # for Python 1 is true
            return
        if tuple(key[:2]) == ("profiles", LOCAL.name) and _found(document, key[:2]) is None:
            text += (
                f'\n[profiles.{LOCAL.name}]\nkind = "{LOCAL.kind}"\n'  # until now it did not have to be there
            )
        wanted = _changed(parse_toml(text), key, value)
        _check(path, document, wanted, key)
        for candidate in _candidates(text, key, value):
            if (parsed := _parsed(candidate)) is not None and _said(parsed) == _said(wanted):
                _write(path, candidate)
                return
    raise SettingsError(f"{path} has no place for {'.'.join(key)}: write it there yourself.")


def append_profile(path: Path, profile: Profile) -> None:
    """Add `profile` at the end of the file, which is otherwise left byte for byte as it is.

    Raises `SettingsError` if the name is taken or not allowed, if the file is not TOML as it stands, or if
    the disk refuses.
    """
    if not re.fullmatch(PROFILE_NAME, profile.name):
        raise SettingsError(f"{profile.name!r} is no name for a profile: use letters, digits, `-` and `_`.")
    _append(path, "profiles", profile)


def append_provider(path: Path, provider: ProviderSettings) -> None:
    """Add a provider of models, as `append_profile` adds a profile. Raises as that."""
    if not re.fullmatch(SERVER_NAME, provider.name):
        raise SettingsError(f"{provider.name!r} is no name for a provider: use letters, digits, `-` and `_`.")
    _append(path, "models", provider)


def remove_provider(path: Path, name: str) -> None:
    """Take a provider of models out of the file. Raises `SettingsError` as `change_setting`."""
    change_setting(path, ("models", name), None)


def _append(path: Path, section: str, one: Profile | ProviderSettings) -> None:
    import tomli_w  # only needed here, and not for the first frame

    with locked(path):
        before, document = _read(path)
        if one.name in document.get(section, {}):
            raise SettingsError(f"{path} already has [{section}.{one.name}].")
        table = tomli_w.dumps({section: {one.name: _table(one)}})
        after = f"{_ended(before)}\n{table}"
        try:
            parse_toml(after)
        except ValueError as error:
            raise SettingsError(
                f"{path} has no place for another table: write them as [{section}.NAME]. ({error})"
            ) from error
        _write(path, after)


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    """The text of the file and what it says; of the one that is written at first if there is none."""
    try:
        text = path.read_bytes().decode() if path.exists() else template()
        return text, parse_toml(text)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise SettingsError(f"{path} is not TOML, correct it first: {error}.") from error


def _write(path: Path, text: str) -> None:
    write_atomic(path, text.encode(), backup=path.with_name(f"{path.stem}.previous{path.suffix}"))


def _ended(text: str) -> str:
    """The text with an end of its last line."""
    return text if not text or text.endswith("\n") else f"{text}\n"


def _table(one: Profile | ProviderSettings) -> dict[str, Any]:
    """What its table has to say: all that is required, and what differs from the defaults."""
    kind: Any = type(one)
    return {
        name: plain(value)
        for name, setting in declared(kind).items()
        if (value := getattr(one, name)) not in (None, (), {})
        and (setting.required or value != setting.default)
    }


# One setting


def _changed(document: Mapping[str, Any], key: Key, value: object) -> dict[str, Any]:
    """What the file is to say afterwards."""
    name, *rest = key
    changed = dict(document)
    if rest:
        table = document.get(name, {})
        changed[name] = _changed(table if isinstance(table, dict) else {}, rest, value)
    elif value is None:
        changed.pop(name, None)
    else:
        changed[name] = value
    return changed


def _said(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a file says: an empty table says nothing, and may go with the last thing in it."""
    return {name: value for name, value in document.items() if value != {}}


def _check(path: Path, before: Mapping[str, Any], after: Mapping[str, Any], key: Key) -> None:
    """Raise `SettingsError` if the file would say something wrong that it does not say now."""
    known = {(one.where, one.allowed) for one in read_config(path, before).problems}
    for problem in read_config(path, after).problems:
        if (problem.where, problem.allowed) not in known:
            about = "" if problem.where == ".".join(key) else f"{problem.where}: "
            raise SettingsError(f"{about}{problem.allowed}")


def _candidates(text: str, key: Key, value: object) -> Iterator[str]:
    """Texts that may say what is wanted, the one that a person would write first.

    Which of them is right is found by reading them: no rule for a place in a text is safe in every file.
    """
    *tables, name = key
    if value is not None and _found(_parsed(text), key) is None:
        yield from _with_new_line(text, tables, line_of(name, value))
    yield _edited(text, key, value)


def _found(document: Mapping[str, Any] | None, key: Key) -> Any:
    """What the file says for a key; None if it says nothing."""
    inner: Any = document
    for name in key:
        if not isinstance(inner, Mapping) or name not in inner:
            return None
        inner = inner[name]
    return inner


def _with_new_line(text: str, tables: Sequence[str], line: str) -> Iterator[str]:
    """The text with one more line in a table: behind the comment that offers it, else behind its values."""
    end_of_line = "\r\n" if "\r\n" in text else "\n"
    lines = _ended(text).splitlines(keepends=True)
    headers = [at for at, one in enumerate(lines) if one.lstrip().startswith("[")]
    start = 0
    if tables:
        start = next((at + 1 for at in headers if _header(lines[at]) == list(tables)), -1)
    if start < 0:
        yield "".join([*lines, end_of_line, _header_line(tables), end_of_line, line, end_of_line])
        return
    end = next((at for at in headers if at >= start), len(lines))
    name = line.partition(" = ")[0]
    offers = [at for at in range(start, end) if re.match(rf"#\s*{re.escape(name)}\s*=", lines[at])]
    values = [at for at in range(start, end) if re.match(r"\s*[^#\s]", lines[at])]
    for at in (*offers, *values[::-1], start - 1):
        last = at + 1
        while last < end and re.match(r"#\s{8}", lines[last]):  # the comment goes on there
            last += 1
        yield "".join([*lines[:last], f"{line}{end_of_line}", *lines[last:]])


def _header(line: str) -> list[str] | None:
    """The tables that a header line names; None if it is no header."""
    try:
        inner: Any = parse_toml(line)
    except ValueError:
        return None
    names = []
    while isinstance(inner, dict) and inner:
        ((name, inner),) = inner.items()
        names.append(name)
    return names


def _header_line(tables: Sequence[str]) -> str:
    import tomlkit

    return f"[{tomlkit.key(list(tables)).as_string()}]"


def _edited(text: str, key: Key, value: object) -> str:
    """The text with a value changed, taken out, or added wherever the library finds room."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    *tables, name = key
    try:
        document = tomlkit.parse(text)
        table: Any = document
        for one in tables:
            if one not in table:
                table[one] = tomlkit.table()
            table = table[one]
        if value is None:
            table.pop(name, None)
        else:
            table[name] = value
        return tomlkit.dumps(document)
    except (TOMLKitError, TypeError, AttributeError, ValueError):  # a form of TOML that it cannot change
        return ""


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return parse_toml(text)
    except ValueError:
        return None
