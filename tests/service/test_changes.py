"""Changes reach all who subscribed, and nobody after the end."""

from assistants_tui.service.changes import Changed, ChangeFeed
from assistants_tui.service.problems import Problems


def test_subscribers_may_leave_while_they_are_called() -> None:
    feed, seen = ChangeFeed(), list[str]()

    def once(_: Changed) -> None:
        seen.append("once")
        leave()

    leave = feed.subscribe(once)
    feed.subscribe(lambda changed: seen.append(str(changed)))
    feed.post(Changed.FILES)
    feed.post(Changed.APPROVALS)
    assert seen == ["once", str(Changed.FILES), str(Changed.APPROVALS)]


def test_nobody_is_called_after_the_end() -> None:
    feed, seen = ChangeFeed(), list[Changed]()
    leave = feed.subscribe(seen.append)
    feed.close()
    feed.post(Changed.FILES)
    leave()  # as screens do that go after it
    assert seen == []


def test_problems_are_posted_and_taken_once() -> None:
    feed, seen = ChangeFeed(), list[Changed]()
    feed.subscribe(seen.append)
    problems = Problems(feed)
    problems.add()
    problems.add("One is wrong.", "So is another.")
    assert seen == [Changed.PROBLEMS]
    assert problems.take() == ["One is wrong.", "So is another."]
    assert problems.take() == []
