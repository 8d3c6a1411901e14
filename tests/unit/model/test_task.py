"""Tasks: how they are cancelled, who is told, and bans of parents on other nodes."""

from sealane.model.task import BAN_MS, BANS_MAX, Task, TaskId, TaskRegistry

PARENT = TaskId("other", 7)


def test_children_of_a_banned_parent_are_cancelled_as_they_start() -> None:
    tasks = TaskRegistry("n")
    with tasks.start("running", start_ms=0, parent=PARENT) as running:
        tasks.ban(PARENT, "by user request", now_ms=1_000)
        assert running.cancelled_reason == "by user request"
    with tasks.start("late", start_ms=1_001, parent=PARENT) as late:
        assert late.cancelled_reason == "by user request"
    with tasks.start("other", start_ms=1_001, parent=TaskId("other", 8)) as other:
        assert other.cancelled_reason is None


def test_a_ban_ends() -> None:
    """A node that was restarted may give the same number to another task."""
    tasks = TaskRegistry("n")
    tasks.ban(PARENT, "x", now_ms=0)
    with tasks.start("a", start_ms=BAN_MS - 1, parent=PARENT) as task:
        assert task.cancelled_reason == "x"
    with tasks.start("a", start_ms=BAN_MS, parent=PARENT) as task:
        assert task.cancelled_reason is None


def test_bans_are_bounded() -> None:
    tasks = TaskRegistry("n")
    for number in range(BANS_MAX + 1):
        tasks.ban(TaskId("other", number), "x", now_ms=0)
    with tasks.start("a", start_ms=1, parent=TaskId("other", 0)) as first:
        assert first.cancelled_reason is None
    with tasks.start("a", start_ms=1, parent=TaskId("other", BANS_MAX)) as last:
        assert last.cancelled_reason == "x"


def test_who_waits_for_a_task_hears_of_its_end() -> None:
    tasks, heard = TaskRegistry("n"), []
    with tasks.start("a", start_ms=0) as task:
        task.on_end(lambda: heard.append("then"))
        assert tasks.find(task.id.number) is task
    assert heard == ["then"]
    task.on_end(lambda: heard.append("at once"))
    assert heard == ["then", "at once"]
    assert tasks.find(task.id.number) is None


def test_a_task_keeps_the_headers_of_its_request() -> None:
    tasks = TaskRegistry("n")
    with tasks.start("a", start_ms=0, headers={"X-Opaque-Id": "me"}) as task:
        assert task.headers == {"X-Opaque-Id": "me"}
    assert Task(TaskId("n", 1), "a", None, 0, "").headers == {}
