"""What strangers may send: texts, names, TOML files and objects that are made to do harm.

The fragments are those of known attacks on terminals, on markup, on file systems and on parsers. As
hypothesis strategies for properties, and as plain lists where many are needed at once.
"""

import random
from typing import Any

from hypothesis import strategies as st

CANARY = "CANARY"
"""Stands in every sequence that a terminal would obey, so that one that arrives gives itself away."""

ESCAPES = [
    f"\x1b]0;{CANARY}\x07",  # window title
    f"\x1b]2;{CANARY}\x1b\\",
    f"\x1b]8;;https://{CANARY}.example\x1b\\link\x1b]8;;\x1b\\",  # hyperlink
    "\x1b]52;c;Q0FOQVJZ\x07",  # clipboard
    f"\x1b]9;{CANARY}\x07",  # notification
    f"\x1b]777;notify;{CANARY};x\x07",
    f"\x1b]1337;File=name={CANARY}:AAAA\x07",  # iTerm2
    f"\x1bP+q{CANARY}\x1b\\",  # DCS
    f"\x1b_G{CANARY}\x1b\\",  # kitty graphics
    f"\x1b^{CANARY}\x1b\\",
    "\x1b[31m",
    "\x1b[2J",
    "\x1b[H",
    "\x1b[6n",
    "\x1b[?1049l",
    "\x1b[>4;2m",
    "\x1b[5i",
    "\x1b[8;1;1t",
    "\x1bc",
    "\x1b#8",
    "\x1b(0",
    "\x1b",
    f"\x9d0;{CANARY}\x9c",  # the same in 8-bit controls
    "\x9b2J",
    "\x90q\x9c",
]
CONTROLS = [
    "\x00",
    "\x07",
    "\x08",
    "\x0b",
    "\x0c",
    "\x0e",
    "\x0f",
    "\x1a",
    "\x7f",
    "\x84",
    "\x85",
    "\x8d",
    "\r",
]
INVISIBLE = [
    *"\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\u2028\u2029\ufeff",
    "\ufff9",
    "\U000e0041",
    "e" + "\u0301" * 30,
    "\u200d\u200d",
    "\ufe0f",
]
MARKUP = [
    f"[red]{CANARY}[/red]",
    f"[@click=app.quit]{CANARY}[/]",
    f"[link=https://{CANARY}.example]x[/link]",
    "[/]",
    "[bold",
    "\\[b]",
    "$primary",
    "[on $error 40%]",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</textarea></code></pre>",
    f"[x](javascript:{CANARY})",
    f"![x](https://{CANARY}.example/x.png)",
    "[x](\x1b]8;;y\x07)",
    "```\n",
    "~~~~",
    "|a|\n|-|\n|b|",
    "# ",
    "> ",
    "1. ",
    "&lt;&#27;]0;x&#7;",
    "<!--",
    "{{7*7}}",
    "%s%n",
]
PATHS = [
    "../",
    "..\\",
    "/etc/passwd",
    "~",
    "~root",
    "C:\\",
    "CON",
    "NUL.txt",
    "COM1",
    "aux.",
    ".",
    "..",
    "",
    " ",
    "a\nb",
    "-rf",
    "$(id)",
    "`id`",
    ";id",
    "|id",
    "&",
    "n" * 300,
    "ü" * 200,
    "\ud800",
    ".bashrc",
    ".ssh/authorized_keys",
    "x" + "." * 50,
    "a/b",
    "a\\b",
    "a:b",
    "a*?",
    "trailing ",
    "trailing.",
]
PLAIN = ["Hello", " ", "tide", "日本語", "👩‍🚀", "مرحبا", "x" * 40, "\n", "\t", "1", "–"]

_ANY = [*ESCAPES, *CONTROLS, *INVISIBLE, *MARKUP, *PLAIN]


def strings(count: int, seed: int = 1, *, lines: bool = False) -> list[str]:
    """So many different hostile texts, the same for a seed. Without `lines` each stands on one line."""
    chance = random.Random(seed)
    made: dict[str, None] = {}
    while len(made) < count:
        text = "".join(chance.choices(_ANY, k=chance.randint(1, 5))) + chance.choice(["", f" {len(made)}"])
        made[text if lines else " ".join(text.split("\n"))] = None
    return list(made)


texts = st.lists(st.sampled_from(_ANY) | st.characters(), max_size=8).map("".join)
"""Texts for any place."""

names = st.lists(st.sampled_from([*PATHS, *ESCAPES, *CONTROLS, *INVISIBLE, *PLAIN]), max_size=5).map("".join)
"""What a server may say that a file is called."""

json_values: "st.SearchStrategy[Any]" = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)

toml = st.one_of(
    texts,
    st.lists(
        st.tuples(
            st.sampled_from(
                ["a", '"b c"', "threads", "profiles.local", "runs.stream", "default_profile", "x.y.z"]
            ),
            st.sampled_from(
                [
                    "1",
                    "true",
                    "nan",
                    '"x"',
                    "'''y'''",
                    "[1, [2]]",
                    "{a = 1}",
                    "1979-05-27",
                    "[[",
                    '"\\u0000"',
                    "-0",
                ]
            ),
        ).map(" = ".join)
        | st.sampled_from(
            ["[runs]", "[[threads]]", "[profiles]", "[profiles.local]", "[", "# \x00", "\ufeff"]
        ),
        max_size=6,
    ).map("\n".join),
)
"""Files that may be TOML, and may be what we expect."""


@st.composite
def damaged(draw: st.DrawFn, sound: dict[str, Any]) -> dict[str, Any]:
    """A server's object like `sound`, with some of its values replaced by others or gone."""
    found = dict(sound)
    for key in draw(st.lists(st.sampled_from(sorted(sound)), max_size=3)):
        if draw(st.booleans()):
            found.pop(key, None)
        elif isinstance(found.get(key), dict) and found[key] and draw(st.booleans()):
            found[key] = draw(damaged(found[key]))
        else:
            found[key] = draw(json_values)
    return found
