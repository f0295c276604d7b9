import pytest

from assistants_tui.protocol.names import has_control_characters, without_control_characters


@pytest.mark.parametrize(
    ("name", "has"),
    [("Ägypten 日本 👩‍🚀", False), ("", False), ("a\tb", True), ("\0", True), ("a\nb", True), ("\x85", True)],
)
def test_control_characters(name: str, has: bool) -> None:
    assert has_control_characters(name) is has
    assert without_control_characters(name) == (name.translate(dict.fromkeys([0, 9, 10, 0x85], "_")))
