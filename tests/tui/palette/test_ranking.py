"""Which command a typed text means."""

from hypothesis import given
from hypothesis import strategies as st

from assistants_tui.tui.palette.ranking import Entry, Match, ranked

RENAME = Entry("threads.rename", "Give the thread a title", "Rename", "Threads", ("r",), ("rename",))
NEW = Entry("threads.new", "Begin a new thread", "New", "Threads", ("^N", "ctrl+n"), ("new chat",))
CREATE = Entry("assistants.new", "Create an assistant", "New", "Assistants", ("n",), ("bot",))
INSPECTOR = Entry(
    "inspector.toggle", "Show or hide the inspector", "", "Inspector", ("F4", "f4"), ("details",)
)
QUIT = Entry("app.quit", "Quit: leave the app", "Quit", "App", ("^Q", "ctrl+q"), ("exit",))
ALL = (RENAME, NEW, CREATE, INSPECTOR, QUIT)

texts = st.text(alphabet="abeinrtß İ^-", max_size=12).map(lambda text: " ".join(text.split()))
entries = st.lists(
    st.builds(
        Entry,
        id=st.uuids().map(str),
        title=texts,
        label=texts,
        group=texts,
        keys=st.lists(texts, max_size=2).map(tuple),
        synonyms=st.lists(texts, max_size=2).map(tuple),
    ),
    max_size=6,
)


def ids(matches: list[Match]) -> list[str]:
    return [match.entry.id for match in matches]


def test_a_key_is_found_as_it_is_shown_and_as_it_is_written() -> None:
    assert ids(ranked(ALL, "^n"))[0] == ids(ranked(ALL, "Ctrl+N"))[0] == "threads.new"
    assert ids(ranked(ALL, "f4")) == ["inspector.toggle"]


def test_titles_come_before_synonyms_and_these_before_single_letters() -> None:
    assert ids(ranked(ALL, "quit")) == ["app.quit"]
    assert ids(ranked(ALL, "exit")) == ["app.quit"]
    assert ids(ranked(ALL, "new")) == ["threads.new", "assistants.new"]
    assert ids(ranked(ALL, "thread title")) == ["threads.rename"]
    assert ids(ranked(ALL, "spector")) == ["inspector.toggle"], "a part of a word"
    assert ids(ranked(ALL, "hideinspector")) == ["inspector.toggle"], "beginnings of words without blanks"
    assert ids(ranked(ALL, "bant")) == ["threads.new"]


def test_letters_that_are_spread_over_a_sentence_find_nothing() -> None:
    assert ranked(ALL, "screenshot") == []
    assert ranked(ALL, "hteatae") == []


def test_what_was_typed_is_marked_in_the_title() -> None:
    (match,) = ranked(ALL, "leave ap")
    assert "".join(QUIT.title[at] for at in match.marked) == "leaveap"
    (match,) = ranked(ALL, "bant")
    assert [NEW.title[at] for at in match.marked] == ["B", "a", "n", "t"]


def test_what_was_used_last_comes_first_where_it_was_found_as_well() -> None:
    assert ids(ranked(ALL, "", ["app.quit", "gone.since", "inspector.toggle"]))[:3] == [
        "app.quit",
        "inspector.toggle",
        "threads.rename",
    ]
    assert ids(ranked(ALL, "new", ["assistants.new"])) == ["assistants.new", "threads.new"]
    assert ids(ranked(ALL, "th", ["inspector.toggle"]))[0] == "inspector.toggle"


@given(entries, texts, st.data())
def test_each_command_is_found_by_all_that_is_said_of_it(
    many: list[Entry], query: str, data: st.DataObject
) -> None:
    found = ranked(many, query)
    assert len(set(ids(found))) == len(found) <= len(many)
    assert all(0 <= at < len(match.entry.title) for match in found for at in match.marked)
    if not many:
        return
    one = data.draw(st.sampled_from(many))
    for text in (
        one.title,
        *one.keys,
        *one.synonyms,
        f"{one.group} {one.title}",
    ):
        assert one.id in ids(ranked(many, text)), text
