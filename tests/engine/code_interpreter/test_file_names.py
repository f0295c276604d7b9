"""Names that anybody may have made."""

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.engine.code_interpreter import safe_name, safe_names

# any string that a file name can become in Python, surrogates for undecodable bytes included
ANY = st.text(st.characters(codec=None), max_size=400) | st.text(
    alphabet="./\\ \t\x00\u202ea\u0301", max_size=20
)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report (final).csv", "report (final).csv"),
        ("Übersicht – März.xlsx", "Übersicht – März.xlsx"),
        ("../../etc/passwd", "_._.._etc_passwd"),
        ("..", "_"),
        (".env", "_env"),
        ("", "file"),
        (" . ", "_"),
        ("a\x1b[2J\nb.txt", "a_[2J_b.txt"),
        ("exe.\u202efdp", "exe._fdp"),
        ("x" * 300 + ".csv", "x" * 196 + ".csv"),
        ("é" * 300, "é" * 100),
        ("CON.", "CON"),
    ],
)
def test_examples(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(ANY)
def test_a_safe_name_names_a_file_in_its_folder(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(os.fsencode(safe)) <= 200
    assert safe == safe.strip()
    assert not safe.startswith(".")
    assert not set(safe) & set("/\\")
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in safe)
    assert Path("/folder", safe).parent == Path("/folder")
    assert safe_name(safe) == safe


@given(st.lists(ANY, max_size=8))
def test_names_together_are_different_in_order_and_stable(names: list[str]) -> None:
    safe = safe_names(names)
    assert len(safe) == len(names)
    assert len({name.casefold() for name in safe}) == len(names)
    assert all(len(os.fsencode(name)) <= 255 for name in safe)
    assert safe_names(safe) == safe


def test_numbers_are_put_before_the_extension() -> None:
    assert safe_names(["a.csv", "a.csv", "A.csv", "a (2).csv"]) == [
        "a.csv",
        "a (2).csv",
        "A (3).csv",
        "a (2) (2).csv",
    ]
