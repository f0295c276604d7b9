"""The profile that the app begins with."""

import pytest

from assistants_tui.service.first_profile import first_profile
from assistants_tui.settings.config import LOCAL, Config, Profile
from assistants_tui.settings.paths import Paths
from assistants_tui.settings.state import AppState
from assistants_tui.settings.threads import ThreadIndex, ThreadReference

TEAM = Profile(name="team", kind="openai", base_url="https://assistants.example.org/v1")
CONFIG = Config(profiles={"local": LOCAL, "team": TEAM})


@pytest.mark.parametrize(
    ("wanted", "last", "begun"),
    [(None, None, "local"), (None, "team", "team"), (None, "gone", "local"), ("team", None, "team")],
)
def test_the_wanted_one_goes_before_the_last_and_that_before_the_default(
    paths: Paths, wanted: str | None, last: str | None, begun: str
) -> None:
    state = AppState(last_profile=last)
    profile, problems = first_profile(CONFIG, state, paths, wanted=wanted, thread_id=None)
    assert (profile.name, problems) == (begun, ())


def test_a_name_that_is_unknown_is_told_with_those_that_are_known(paths: Paths) -> None:
    profile, (problem,) = first_profile(CONFIG, AppState(), paths, wanted="tema", thread_id=None)
    assert profile is LOCAL
    assert "no profile “tema”" in problem and "local, team" in problem


def test_a_named_thread_opens_in_the_profile_that_has_it(paths: Paths) -> None:
    ThreadIndex(paths.threads_file).add(ThreadReference(profile="team", id="thread_1", title="Ours"))
    profile, _ = first_profile(CONFIG, AppState(), paths, wanted=None, thread_id="thread_1")
    assert profile is TEAM
    profile, _ = first_profile(CONFIG, AppState(), paths, wanted=None, thread_id="thread_2")
    assert profile is LOCAL
    paths.threads_file.unlink()
    paths.threads_file.mkdir()
    profile, _ = first_profile(CONFIG, AppState(), paths, wanted=None, thread_id="thread_1")
    assert profile is LOCAL, "a history that cannot be read does not stop the app"
