"""The thread history survives windows, crashes, damage and hands: no reference is ever lost in silence."""

import stat
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from assistants_tui.settings.files import SettingsError
from assistants_tui.settings.threads import ThreadIndex, ThreadReference


def reference(number: int = 1, **changes: object) -> ThreadReference:
    fields: dict[str, object] = {
        "profile": "local",
        "id": f"thread_{number}",
        "last_used_at": number,
        **changes,
    }
    return ThreadReference(**fields)  # type: ignore[arg-type]  # the tests give what the fields take


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "threads.toml"


def test_without_a_file_there_is_no_history_and_reading_makes_none(path: Path) -> None:
    index = ThreadIndex(path)
    assert index.list() == []
    assert index.problems == []
    assert not path.parent.exists()


def test_what_is_added_is_there_for_the_next_start(path: Path) -> None:
    full = reference(
        title='A "title"\n[[threads]]\\ \x1b[31m 日本', assistant_id="asst_1", created_at=7, pinned=True
    )
    ThreadIndex(path).add(full)
    assert ThreadIndex(path).list() == [full]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_pinned_ones_come_first_and_then_the_last_used(path: Path) -> None:
    index = ThreadIndex(path)
    several: list[dict[str, Any]] = [{}, {"pinned": True}, {}, {"archived": True}, {"profile": "team"}]
    for number, changes in enumerate(several):
        index.add(reference(number, **changes))
    assert [one.id for one in index.list("local")] == ["thread_1", "thread_2", "thread_0"]
    assert [one.id for one in index.list("local", archived=True)] == ["thread_3"]
    assert len(index.list("local", archived=None)) == 4
    assert len(index.list()) == 4


def test_two_windows_lose_nothing_of_each_other(path: Path) -> None:
    one, other = ThreadIndex(path), ThreadIndex(path)
    one.add(reference(1))
    assert other.get("local", "thread_1") == reference(1)
    other.add(reference(2))
    one.update("local", "thread_1", title="renamed here")
    other.update("local", "thread_1", pinned=True)
    expected = [reference(1, title="renamed here", pinned=True), reference(2)]
    assert one.list() == other.list() == ThreadIndex(path).list() == expected


def test_many_writers_at_once_lose_nothing(path: Path) -> None:
    start = threading.Barrier(6)

    def window(number: int) -> None:
        index = ThreadIndex(path)
        start.wait()
        for step in range(5):
            index.add(reference(number * 10 + step))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(window, range(6)))
    assert {one.id for one in ThreadIndex(path).list()} == {
        f"thread_{number * 10 + step}" for number in range(6) for step in range(5)
    }


def test_one_index_serves_several_threads(path: Path) -> None:
    index = ThreadIndex(path)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: index.add(reference(number)), range(20)))
    assert len(index.list()) == len(ThreadIndex(path).list()) == 20


def test_its_version_tells_of_changes_without_reading(path: Path) -> None:
    index = ThreadIndex(path)
    none = index.version()
    ThreadIndex(path).add(reference(1))
    first = index.version()
    assert none != first == index.version()
    ThreadIndex(path).add(reference(2))
    assert index.version() != first


def test_changes_of_others_are_counted_and_ours_are_not(path: Path) -> None:
    ours, other = ThreadIndex(path), ThreadIndex(path)
    ours.add(reference(1))
    other.list()
    assert ours.foreign_changes == other.foreign_changes == 0
    other.update("local", "thread_1", title="Tides")
    ours.list()
    ours.list()
    assert ours.foreign_changes == 1
    other.update("local", "thread_1", title="Waves")
    ours.update("local", "thread_1", pinned=True)  # finds the other's under the lock
    assert ours.foreign_changes == 2 and other.foreign_changes == 0


def test_what_is_added_twice_stays_as_it_was(path: Path) -> None:
    index = ThreadIndex(path)
    index.add(reference(1, title="mine"))
    assert index.add(reference(1, title="other")).title == "mine"
    assert [one.title for one in index.list()] == ["mine"]


def test_what_is_removed_can_be_put_back(path: Path) -> None:
    index = ThreadIndex(path)
    index.add(reference(1, title="mine"))
    removed = index.remove("local", "thread_1")
    assert index.list() == []
    assert index.remove("local", "thread_1") is None
    assert removed is not None
    index.restore(removed)
    assert ThreadIndex(path).list() == [reference(1, title="mine")]


def test_a_thread_that_is_gone_cannot_be_changed(path: Path) -> None:
    with pytest.raises(KeyError):
        ThreadIndex(path).update("local", "thread_1", title="x")


def test_keys_that_this_version_does_not_know_stay(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(
        '# mine\nfuture = "yes"\n\n'
        '[[threads]]\nprofile = "local"\nid = "thread_1"\ncolour = "red"\nweight = 3\n'
    )
    index = ThreadIndex(path)
    index.update("local", "thread_1", title="t")
    index.add(reference(2))
    removed = index.remove("local", "thread_1")
    assert removed is not None
    index.restore(removed)
    text = path.read_text()
    document = tomllib.loads(text)
    assert text.startswith("# mine\n")
    assert document["future"] == "yes"
    assert document["threads"][1] | {"colour": "red", "weight": 3} == document["threads"][1]


def test_a_file_written_by_hand_in_another_style_is_understood(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(
        'threads = [ {profile = "local", id = \'thread_1\', title = """two\nlines""", created_at = 1_000, '
        "last_used_at = 0x10, seen = 1979-05-27, tags = [1, 2]} ]\n"
    )
    index = ThreadIndex(path)
    (found,) = index.list()
    assert (found.title, found.created_at, found.last_used_at) == ("two\nlines", 1000, 16)
    index.add(reference(2))
    again = tomllib.loads(path.read_text())["threads"]
    assert again[0]["tags"] == [1, 2]
    assert len(again) == 2


def test_a_table_that_is_no_thread_is_kept_but_not_shown(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(
        '[[threads]]\ntitle = "no ID"\n\n[[threads]]\nprofile = "local"\nid = "thread_1"\npinned = 7\n'
    )
    index = ThreadIndex(path)
    assert index.list() == [ThreadReference("local", "thread_1", extra={})]
    index.add(reference(2))
    assert {"title": "no ID"} in tomllib.loads(path.read_text())["threads"]


@pytest.mark.parametrize(
    "damage",
    [b'[[threads]]\nprofile = "local', b"\xff\xfe", b"threads = 3\n", b"threads = [3]\n", b"\0" * 100],
)
def test_a_damaged_file_is_kept_aside_and_the_previous_version_comes_back(path: Path, damage: bytes) -> None:
    index = ThreadIndex(path)
    index.add(reference(1))
    index.add(reference(2))
    index.add(reference(3))
    path.write_bytes(damage)
    after = ThreadIndex(path)
    assert [one.id for one in after.list()] == ["thread_2", "thread_1"]
    (problem,) = after.problems
    (aside,) = path.parent.glob("threads.damaged-*.toml")
    assert aside.read_bytes() == damage
    assert str(aside) in problem
    assert "2 threads" in problem
    after.add(reference(4))
    assert len(ThreadIndex(path).list()) == 3


def test_a_file_damaged_while_the_window_is_open_is_found_at_the_next_write(path: Path) -> None:
    index = ThreadIndex(path)
    index.add(reference(1))
    index.add(reference(2))
    path.write_bytes(b"broken [")
    index.add(reference(3))
    assert {one.id for one in ThreadIndex(path).list()} == {"thread_1", "thread_3"}
    assert len(index.problems) == 1


def test_without_a_good_version_the_history_is_empty_but_nothing_is_deleted(path: Path) -> None:
    index = ThreadIndex(path)
    index.add(reference(1))
    index.add(reference(2))
    path.write_bytes(b"broken [")
    index.backup.write_bytes(b"broken too [")
    after = ThreadIndex(path)
    assert after.list() == []
    (problem,) = after.problems
    assert index.backup.name in problem
    assert [one.read_bytes() for one in path.parent.glob("threads.damaged-*")] == [b"broken ["]
    assert index.backup.read_bytes() == b"broken too ["


def test_a_second_damage_in_the_same_second_overwrites_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.strftime", lambda format: "damaged-now")
    for text in (b"one [", b"two ["):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text)
        ThreadIndex(path).list()
    assert sorted(one.read_bytes() for one in path.parent.glob("threads.damaged-*")) == [b"one [", b"two ["]


def test_a_file_that_is_gone_comes_back_from_the_previous_version(path: Path) -> None:
    index = ThreadIndex(path)
    index.add(reference(1))
    index.add(reference(2))
    path.unlink()
    after = ThreadIndex(path)
    assert [one.id for one in after.list()] == ["thread_1"]
    assert "gone" in after.problems[0]


def test_a_write_that_fails_leaves_the_file_and_what_is_shown_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = ThreadIndex(path)
    index.add(reference(1))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(SettingsError, match="No space left"):
            index.add(reference(2))
    assert index.list() == ThreadIndex(path).list() == [reference(1)]
    assert [one.name for one in path.parent.iterdir() if one.name.endswith(".tmp")] == []
    index.add(reference(3))
    assert len(index.list()) == 2


def test_a_history_that_cannot_be_read_is_explained_and_left_alone(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(SettingsError, match=r"threads\.toml cannot be read: Is a directory"):
        ThreadIndex(path).list()
    path.rmdir()
    path.parent.rmdir()
    path.parent.write_text("not a folder")
    with pytest.raises(SettingsError, match=r"threads\.toml cannot be read: Not a directory"):
        ThreadIndex(path).list()
    assert path.parent.read_text() == "not a folder"


def test_a_damaged_file_that_cannot_be_kept_aside_is_not_replaced(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = ThreadIndex(path)
    index.add(reference(1))
    index.add(reference(2))
    path.write_bytes(b"broken [")

    def refuse(self: Path, target: Path) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        with pytest.raises(SettingsError, match=r"is damaged .* cannot be moved: Read-only file system"):
            ThreadIndex(path).list()
    assert path.read_bytes() == b"broken ["
    assert ThreadIndex(path).list() == [reference(1)]


def test_a_history_that_is_deleted_while_it_is_open_stays_deleted(path: Path) -> None:
    index = ThreadIndex(path)
    index.add(reference(1))
    path.unlink()
    assert index.list() == []
    index.add(reference(2))
    assert ThreadIndex(path).list() == [reference(2)]


def test_a_key_that_stands_twice_is_damage(path: Path) -> None:
    index = ThreadIndex(path)
    index.add(reference(1))
    index.add(reference(2))
    path.write_text(path.read_text() + 'id = "thread_3"\n')
    after = ThreadIndex(path)
    assert after.list() == [reference(1)]
    assert len(after.problems) == 1


def test_a_symbolic_link_is_not_written_through(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text("")
    path.parent.mkdir()
    path.symlink_to(elsewhere)
    with pytest.raises(SettingsError, match="symbolic link"):
        ThreadIndex(path).add(reference(1))
    assert elsewhere.read_text() == ""
    assert path.is_symlink()


REFERENCES = st.builds(
    ThreadReference,
    profile=st.sampled_from(["local", "team"]),
    id=st.text(min_size=1, max_size=6),
    title=st.text(max_size=12),
    assistant_id=st.none() | st.text(max_size=5),
    created_at=st.integers(0, 2**40),
    last_used_at=st.integers(0, 2**40),
    pinned=st.booleans(),
    archived=st.booleans(),
    extra=st.dictionaries(
        st.sampled_from(["note", "a.b", "über"]),
        st.text(max_size=5)
        | st.integers()
        | st.floats(allow_nan=False)
        | st.lists(st.integers(), max_size=2),
        max_size=2,
    ),
)


@settings(max_examples=40)
@given(st.lists(REFERENCES, max_size=5))
def test_whatever_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, many: list[ThreadReference]
) -> None:
    path = tmp_path_factory.mktemp("threads") / "threads.toml"
    index = ThreadIndex(path)
    for one in many:
        index.restore(one)
    expected = {(one.profile, one.id): one for one in many}
    read = ThreadIndex(path)
    assert {(one.profile, one.id): one for one in read.list(archived=None)} == expected
    assert read.problems == []
    tables = tomllib.loads(path.read_text(encoding="utf-8")).get("threads", []) if many else []
    assert [(table["profile"], table["id"]) for table in tables] == [*expected]


@settings(max_examples=40)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["profile", "id", "title", "pinned", "created_at", "x"]),
            st.text(max_size=5)
            | st.integers()
            | st.booleans()
            | st.dictionaries(st.just("k"), st.text(max_size=2)),
        ),
        max_size=4,
    )
)
def test_any_toml_is_read_without_loss(
    tmp_path_factory: pytest.TempPathFactory, tables: list[dict[str, object]]
) -> None:
    path = tmp_path_factory.mktemp("threads") / "threads.toml"
    path.write_text(tomli_w.dumps({"threads": tables}), encoding="utf-8")
    index = ThreadIndex(path)
    known = {(one.profile, one.id) for one in index.list(archived=None)}
    index.add(reference(99))
    after = tomllib.loads(path.read_text(encoding="utf-8"))["threads"]
    assert {(table["profile"], table["id"]) for table in after if _named(table)} == known | {
        ("local", "thread_99")
    }
    assert [table for table in tables if not _named(table)] == [table for table in after if not _named(table)]
    assert index.problems == []


def _named(table: dict[str, object]) -> bool:
    return all(isinstance(table.get(key), str) and table.get(key) for key in ("profile", "id"))


def test_what_is_known_is_as_the_file_was_read_last_also_after_a_change_that_failed(path: Path) -> None:
    index = ThreadIndex(path)
    index.add(ThreadReference("local", "thread_1", "one"))
    other = ThreadIndex(path)
    assert other.known("local", "thread_1") is None
    other.list()
    index.update("local", "thread_1", title="two")
    assert other.known("local", "thread_1") == ThreadReference("local", "thread_1", "one")
    with pytest.raises(KeyError):
        other.update("local", "thread_2", title="three")
    assert other.known("local", "thread_1") == ThreadReference("local", "thread_1", "two")
