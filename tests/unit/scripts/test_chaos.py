"""What the chaos run takes for a right answer."""

from collections.abc import Mapping
from typing import Any

import pytest
from scripts.chaos.http import Answer, parsed
from scripts.chaos.judge import WrongAnswerError, expected_numbers, judge_error, judge_search
from scripts.chaos.leaks import Held, growth, problems
from scripts.chaos.proxy import Proxy
from scripts.chaos.world import DOCUMENTS, LOCAL, Remote, World

from sealane.testing.process import NodeProcess

GOOD = {"status": "successful", "timed_out": False, "_shards": {"failed": 0}}
GONE = {"status": "skipped", "timed_out": False, "failures": [{}]}


@pytest.fixture
def world(tmp_path: Any) -> World:
    node = NodeProcess("n", tmp_path)
    return World(
        node,
        [
            Remote("r1", node, Proxy(), skip_unavailable=True),
            Remote("r2", node, Proxy(), skip_unavailable=False),
        ],
    )


def answer(world: World, details: Mapping[str, Any], **changes: Any) -> Answer:
    """A right one of the clusters that are successful, with these changes."""
    good = [name for name, each in details.items() if each["status"] == "successful"]
    numbers = expected_numbers(world, good)
    statuses = ("successful", "skipped", "running", "partial", "failed")
    body = {
        "_clusters": {
            **{s: sum(each["status"] == s for each in details.values()) for s in statuses},
            "details": details,
        },
        "hits": {
            "total": {"value": len(numbers)},
            "hits": [{"_source": {"n": n}} for n in numbers[:10]],
        },
        "aggregations": {
            "sum": {"value": sum(numbers)},
            "kinds": {
                "buckets": [
                    {"key": kind, "doc_count": DOCUMENTS // 4 * len(good)} for kind in "abcd"
                ]
            },
        },
        **changes,
    }
    return Answer(200, body)


def judged(world: World, given: Answer) -> str:
    return judge_search(world, given, given.body, from_=0, size=10)


def test_right_answers(world: World) -> None:
    whole = dict.fromkeys(world.names, GOOD)
    assert judged(world, answer(world, whole)) == "whole"
    assert judged(world, answer(world, {**whole, "r1": GONE})) == "skipped"


def test_wrong_answers(world: World) -> None:
    whole = dict.fromkeys(world.names, GOOD)
    silent = {"status": "skipped", "timed_out": False}
    for wrong in (
        answer(world, {name: GOOD for name in world.names if name != "r1"}),
        answer(world, {**whole, "r1": silent}),
        answer(world, {**whole, "r1": {**GONE, "status": "failed"}}),
        answer(world, whole, hits={"total": {"value": 5}, "hits": []}),
        answer(world, whole, aggregations={"sum": {"value": 1}, "kinds": {"buckets": []}}),
    ):
        with pytest.raises(WrongAnswerError):
            judged(world, wrong)


def test_errors_name_the_cluster_that_may_not_be_skipped(world: World) -> None:
    def error(**members: Any) -> Answer:
        return Answer(502, {"error": {"type": "connect_transport_exception", **members}})

    assert judge_error(world, error(cluster="r2")) == "error:connect_transport_exception"
    for wrong in (error(), error(cluster="r1"), Answer(500, "?"), error(type="exception")):
        with pytest.raises(WrongAnswerError):
            judge_error(world, wrong)


def test_what_is_left() -> None:
    calm = Held({"sealane_tasks": 1, "sealane_open_contexts": 0}, 0, 50, 80 << 20)
    busy = Held({"sealane_tasks": 2, "sealane_open_contexts": 3}, 4, 99, 900 << 20)
    assert problems({LOCAL: calm}) == []
    assert len(problems({LOCAL: busy})) == 3
    assert growth({LOCAL: calm}, {LOCAL: calm}) == []
    assert len(growth({LOCAL: calm}, {LOCAL: busy})) == 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
    ],
)
def test_an_answer_that_was_cut_is_none(data: bytes) -> None:
    """A node that is killed leaves at any byte."""
    with pytest.raises(ConnectionResetError):
        parsed(data)
