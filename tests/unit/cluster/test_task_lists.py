"""Lists of tasks between nodes, and what may be cancelled by whom."""

import asyncio

import pytest

from sealane.cluster.task_lists import (
    CancelTasks,
    TaskFilter,
    cancel_tasks,
    children_of,
    encode_cancel,
    encode_parents,
    encode_tasks,
    read_cancel,
    read_parents,
    read_task_id,
    read_tasks,
    running_tasks,
)
from sealane.errors import IllegalArgument, ResourceNotFound
from sealane.model.task import TaskId, TaskRegistry


class Fixed:
    def now_ms(self) -> int:
        return 5_000


async def test_all_that_fit_are_cancelled_but_the_request_itself() -> None:
    tasks = TaskRegistry("n")
    with (
        tasks.start("search", start_ms=0) as search,
        tasks.start("bulk", start_ms=0) as bulk,
        tasks.start("cancel", start_ms=0) as parent,
        tasks.start("cancel", start_ms=0, parent=parent) as own,
    ):
        only = CancelTasks(TaskFilter(actions=("sea*",)))
        (shown,) = await cancel_tasks(tasks, Fixed(), only, own)
        assert (shown["id"], shown["cancelled"]) == (search.id.number, True)
        assert bulk.cancelled_reason is None
        assert len(await cancel_tasks(tasks, Fixed(), CancelTasks(TaskFilter()), own)) == 2
        assert bulk.cancelled_reason == "by user request"
        assert own.cancelled_reason is parent.cancelled_reason is None


async def test_a_number_that_no_task_has() -> None:
    tasks = TaskRegistry("n")
    with tasks.start("cancel", start_ms=0) as own:
        with pytest.raises(ResourceNotFound) as caught:
            await cancel_tasks(tasks, Fixed(), CancelTasks(TaskFilter(number=99)), own)
        assert caught.value.reason == "task [n:99] is not found"
        none = CancelTasks(TaskFilter(number=own.id.number))
        assert await cancel_tasks(tasks, Fixed(), none, own) == []


async def test_the_answer_waits_for_the_end_where_it_is_asked_to() -> None:
    tasks = TaskRegistry("n")
    with tasks.start("cancel", start_ms=0) as own:
        running = tasks.start("search", start_ms=0)
        running.__enter__()
        request = CancelTasks(TaskFilter(actions=("search",)), wait=True)
        waiting = asyncio.create_task(cancel_tasks(tasks, Fixed(), request, own))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert running.task.cancelled_reason is not None
        assert not waiting.done()
        running.__exit__()
        assert len(await waiting) == 1


def test_messages_survive_the_wire() -> None:
    request = CancelTasks(TaskFilter(3, ("a*", "b"), "n:1"), True)
    assert read_cancel(encode_cancel(request)) == request
    assert read_parents(encode_parents({"b", "a"})) == {"a", "b"}
    tasks = TaskRegistry("n")
    with tasks.start("a", start_ms=1_000, parent=TaskId("m", 2), headers={"trace.id": "t"}):
        listed = running_tasks(tasks, Fixed())
    assert read_tasks(encode_tasks(listed)) == listed
    assert listed[0]["parent_task_id"] == "m:2"
    assert listed[0]["headers"] == {"trace.id": "t"}
    assert listed[0]["running_time_in_nanos"] == 4_000_000_000


@pytest.mark.parametrize("read", [read_cancel, read_parents, read_tasks])
def test_bytes_that_are_no_message(read: "object") -> None:
    with pytest.raises(IllegalArgument):
        read(b"\xc1")  # type: ignore[operator]


@pytest.mark.parametrize("text", ["", "n", "n:", "n:x", "n:-1", "n:²", "n:" + "9" * 5_000])
def test_what_is_no_task_id(text: str) -> None:
    with pytest.raises(IllegalArgument) as caught:
        read_task_id(text)
    assert caught.value.reason == f"malformed task id {text}"


def test_children_and_theirs() -> None:
    listed = [
        {"node": "g", "id": 2, "parent_task_id": "g:1"},
        {"node": "g", "id": 1, "parent_task_id": "ours:9"},
        {"node": "g", "id": 3, "parent_task_id": "others:9"},
        {"node": "g", "id": 4},
    ]
    assert [each["id"] for each in children_of({"ours"}, listed)] == [1, 2]


def test_who_comes_with_a_key_sees_what_came_by_it() -> None:
    """T-3: which nodes are theirs is what they say themselves, and numbers of tasks are easily guessed."""
    tasks = TaskRegistry("g")
    theirs = TaskId("west", 9)
    with (
        tasks.start("own", start_ms=0),
        tasks.start("by-a", start_ms=0, parent=theirs, owner="a") as by_a,
        tasks.start("under", start_ms=0, parent=by_a),
        tasks.start("by-b", start_ms=0, parent=theirs, owner="b"),
        tasks.start("by-certificate", start_ms=0, parent=theirs),
    ):
        listed = running_tasks(tasks, Fixed())
    nodes = {"west", "g", ""}

    def seen(owner: str) -> list[str]:
        return sorted(each["action"] for each in children_of(nodes, listed, owner))

    assert seen("a") == ["by-a", "under"]
    assert seen("b") == ["by-b"]
    assert seen("c") == []
    assert seen("") == ["by-certificate", "under"]


def test_a_long_line_of_children_that_is_listed_backwards() -> None:
    chain = [{"node": "g", "id": n, "parent_task_id": f"g:{n - 1}"} for n in range(3_000, 1, -1)]
    first = {"node": "g", "id": 1, "parent_task_id": "ours:9"}
    found = children_of({"ours"}, [*chain, first])
    assert [each["id"] for each in found] == list(range(1, 3_001))
