"""What addresses tell: which are on this computer, to which a key may go, and how they are shown."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants_tui import addresses


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("api.localhost.", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("[::1]", True),
        ("[::ffff:127.0.0.1]", True),
        ("0.0.0.0", True),
        ("127.1", True),
        ("0", True),
        ("2130706433", True),
        ("0x7f.1", True),
        ("0177.0.0.1", True),
        ("128.1", False),
        ("3232235521", False),  # 192.168.0.1
        ("127.0.0.1.", False),  # no address: it is looked up as a name
        ("127.0.0.1 x.example.org", False),
        ("localhost.example.org", False),
        ("128.0.0.1", False),
        ("[fd00::1]", False),
        ("", False),
    ],
)
def test_which_addresses_are_on_this_computer(host: str, local: bool) -> None:
    assert addresses.is_on_this_computer(f"http://user:pw@{host}:1234/v1") is local


@given(st.from_regex(r"[0-9a-fx.]{1,12}", fullmatch=True))
def test_what_the_system_connects_to_this_computer_for_is_on_it(host: str) -> None:
    try:
        found = socket.getaddrinfo(host, 1, family=socket.AF_INET, flags=socket.AI_NUMERICHOST)[0][4][0]
    except (OSError, UnicodeError):
        return
    local = str(found).startswith("127.") or found == "0.0.0.0"
    assert addresses.is_on_this_computer(f"http://{host}:1/v1") is local


@pytest.mark.parametrize(
    ("url", "openai"),
    [
        ("https://api.openai.com/v1", True),
        ("https://API.OPENAI.COM", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://api.openai.com.example.org/v1", False),
        ("https://api.openai.com@example.org/v1", False),
        ("https://notapi.openai.com/v1", False),
        ("https://example.org/api.openai.com", False),
        ("http://localhost:11434/v1", False),
        ("https://name.openai.azure.com", False),
        ("http://[", False),
    ],
)
def test_where_the_key_of_openai_may_go(url: str, openai: bool) -> None:
    assert addresses.is_openai(url) is openai
    assert (addresses.only_for_openai(url) == "") is openai


@pytest.mark.parametrize(
    ("url", "readable"),
    [
        ("https://models.example/v1", False),
        ("HTTPS://models.example/v1", False),
        ("http://models.example/v1", True),
        ("http://192.168.0.7:11434/v1", True),
        ("http://api.openai.com/v1", True),
        ("http://127.0.0.1:8123/v1", False),
        ("unix:///run/user/1/engine.sock", False),
    ],
)
def test_what_others_can_read_on_the_way(url: str, readable: bool) -> None:
    assert addresses.can_be_read_on_the_way(url) is readable
    assert (addresses.not_in_the_clear(url) != "") is readable


@given(st.text(min_size=1), st.sampled_from(["", "http://", "socks5://", "HTTP://"]))
def test_no_password_is_shown(password: str, scheme: str) -> None:
    shown = addresses.without_password(f"{scheme}user:{password}@host:1")
    assert shown == f"{scheme}***@host:1"


@given(st.text(alphabet=st.characters(exclude_characters="&;#@"), min_size=1))
def test_no_value_of_a_query_is_shown(key: str) -> None:
    url = f"https://models.example/v1?api_key={key}&api-version=2024-05-01&sig={key}#x"
    assert addresses.without_password(url) == (
        "https://models.example/v1?api_key=***&api-version=2024-05-01&sig=***#x"
    )
