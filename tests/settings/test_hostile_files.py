"""Files that somebody else has written: whatever stands in them, the program starts and loses nothing."""

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import example, given

from assistants_tui.settings.config_reader import load_config
from assistants_tui.settings.prompts import add_prompts, load_prompts
from assistants_tui.settings.state import load_state, update_state
from assistants_tui.settings.threads import ThreadIndex, ThreadReference
from support.hostile import names, texts, toml


@given(toml)
@example(f"x = {'9' * 5000}")
@example(f"x = {'[' * 3000}{']' * 3000}")
@example(f"{'a.' * 3000}b = 1")
def test_any_file_is_survived_and_kept(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("config.toml", "state.toml", "threads.toml", "prompts.jsonl"):
            Path(folder, name).write_bytes(data)
        loaded = load_config(Path(folder, "config.toml"))
        assert loaded.config.default_profile in loaded.config.profiles
        assert all(str(problem).isprintable() or "\n" in str(problem) for problem in loaded.problems)
        update_state(Path(folder, "state.toml"), lambda state: replace(state, theme="kept"))
        assert load_state(Path(folder, "state.toml")).theme == "kept"
        add_prompts(Path(folder, "prompts.jsonl"), "kept")
        assert load_prompts(Path(folder, "prompts.jsonl"))[-1] == "kept"
        index = ThreadIndex(Path(folder, "threads.toml"))
        index.add(ThreadReference("local", "thread_new"))
        assert index.get("local", "thread_new") is not None
        if index.problems:
            assert [path for path in Path(folder).glob("threads.damaged*") if path.read_bytes() == data]


@given(texts, names)
def test_any_title_comes_back_as_it_was(title: str, profile: str) -> None:
    title = title.encode("utf-8", "replace").decode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "threads.toml")
        ThreadIndex(path).add(ThreadReference("local", "thread_1", title))
        ThreadIndex(path).add(ThreadReference(profile.encode("utf-8", "replace").decode() or "p", "thread_2"))
        again = ThreadIndex(path)
        found = again.get("local", "thread_1")
        assert found is not None and found.title == title
        assert not again.problems
