"""What every request goes through, whatever it asks for."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from sealane.errors import SecurityError, TaskCancelled
from sealane.model.access import Access
from sealane.model.credentials import Credentials
from sealane.model.security import ANONYMOUS, Subject
from sealane.rest import Request, Response, json_response, standard_routes
from sealane.rest import app as app_module
from sealane.rest.params import BODY_AS_PARAMETER
from sealane.rest.router import METHODS
from tests.unit.rest.fakes import Client, World, assert_error, route

VENDOR = "application/vnd.elasticsearch+json"


async def echo(request: Request) -> Response:
    return json_response({"got": request.body.decode()})


# -- routing -----------------------------------------------------------------------------------------------------


async def test_no_route_is_a_400_without_a_status_member(client: Client) -> None:
    answer = await client("GET", "/x/y/z")
    assert answer.status == 400
    assert answer.json == {"error": "no handler found for uri [/x/y/z] and method [GET]"}
    assert (await client("POST", "/rest_b/_foo")).json == {
        "error": "no handler found for uri [/rest_b/_foo] and method [POST]"
    }


@pytest.mark.parametrize(
    ("method", "uri", "allowed"),
    [
        ("POST", "/_remote/info", "GET"),
        ("PATCH", "/_remote/info", "GET"),
        ("GET", "/_bulk", "POST, PUT"),
        ("POST", "/rest_b", "GET, PUT, DELETE, HEAD"),
        ("GET", "/rest_b/_foo", "POST"),
        ("POST", "/_cat/indices/rest_*?v", "GET"),
        ("PUT", "/rest_a/_doc", "POST"),
        ("GET", "/_cat/nope", "POST"),
    ],
)
async def test_a_wrong_method_is_a_405_that_lists_the_right_ones(
    client: Client, method: str, uri: str, allowed: str
) -> None:
    answer = await client(method, uri)
    assert answer.status == 405
    assert answer.headers["allow"] == allowed.replace(" ", "")
    assert answer.json == {
        "error": f"Incorrect HTTP method for uri [{uri}] and method [{method}], allowed: [{allowed}]",
        "status": 405,
    }


async def test_options_tells_the_methods(client: Client) -> None:
    answer = await client("OPTIONS", "/x/y/z")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["allow"] == "GET,POST,PUT,DELETE,HEAD"
    assert answer.headers["content-type"] == "text/plain; charset=UTF-8"


async def test_a_slash_at_the_end_changes_nothing(client: Client) -> None:
    assert (await client("GET", "/_cluster/health/")).status == 200


async def test_a_bad_percent_escape_is_refused(client: Client) -> None:
    assert_error(
        await client("GET", "/rest_b/_doc/%zz"),
        400,
        "illegal_argument_exception",
        "invalid escape sequence `%zz' at index 13 of: /rest_b/_doc/%zz",
    )


# -- parameters --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("bogus=1", "request [/_cluster/health] contains unrecognized parameter: [bogus]"),
        (
            "bogus=1&timout=3&wait=1",
            "request [/_cluster/health] contains unrecognized parameters: [bogus], "
            "[timout] -> did you mean [timeout]?, [wait]",
        ),
        ("pretty=x", "Failed to parse value [x] as only [true] or [false] are allowed."),
        ("human=maybe", "Failed to parse value [maybe] as only [true] or [false] are allowed."),
        (
            "timeout=5",
            "failed to parse setting [timeout] with value [5] as a time value: "
            "unit is missing or unrecognized",
        ),
        (
            "wait_for_status=blue",
            "No enum constant org.elasticsearch.cluster.health.ClusterHealthStatus.BLUE",
        ),
    ],
)
async def test_bad_parameters_are_refused(client: Client, query: str, reason: str) -> None:
    answer = await client("GET", f"/_cluster/health?{query}")
    assert_error(answer, 400, "illegal_argument_exception", reason)


async def test_a_route_that_takes_no_body_refuses_one(client: Client) -> None:
    assert_error(
        await client("GET", "/_cluster/health", {"a": 1}),
        400,
        "illegal_argument_exception",
        "request [GET /_cluster/health] does not support having a body",
    )


async def test_the_body_may_come_as_the_source_parameter() -> None:
    async with World().serve([route(echo, params=BODY_AS_PARAMETER)]) as client:
        target = "/_test?source=%7B%22a%22%3A1%7D"
        untyped = await client("GET", target)
        answer = await client("GET", f"{target}&source_content_type=application/json")
    assert answer.json == {"got": '{"a":1}'}
    assert_error(
        untyped,
        400,
        "validation_exception",
        "Validation Failed: 1: source and source_content_type parameters are required;",
    )


# -- tasks and authority -----------------------------------------------------------------------------------------


async def test_a_client_that_hangs_up_cancels_its_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what the handler was waiting for."""
    monkeypatch.setattr(app_module, "WATCH_AFTER_S", 0.0)
    ended: list[str | None] = []
    started = asyncio.Event()

    async def slow(request: Request) -> Response:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(request.ctx.task.cancelled_reason)
        raise AssertionError("never reached")

    world = World()
    async with world.serve([route(slow)]) as client:
        messages = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            if messages:
                return messages.pop()
            await started.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            pass

        scope = {
            "type": "http",
            "method": "GET",
            "raw_path": b"/_test",
            "query_string": b"",
            "headers": [],
        }
        await client.app(scope, receive, send)
    assert ended == ["http channel closed"]
    assert len(world.tasks) == 0


async def test_a_cancelled_task_answers_with_its_reason() -> None:
    world = World()

    async def cancels_itself(request: Request) -> Response:
        request.ctx.task.cancel("by user request")
        await asyncio.Event().wait()
        raise AssertionError("never reached")

    async with world.serve([route(cancels_itself)]) as client:
        answer = await client("GET", "/_test")
    expected = TaskCancelled("by user request")
    assert_error(answer, expected.status, expected.es_type, expected.reason)


class DenyingGate:
    """Lets everybody in and nobody do anything."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def authenticated(self, credentials: Credentials) -> Subject | None:
        return ANONYMOUS

    async def authenticate(self, credentials: Credentials) -> Subject:
        raise NotImplementedError

    def access(self, subject: Subject, action: str, indices: Sequence[str]) -> Access | None:
        self.asked.append(action)
        raise SecurityError(f"action [{action}] is unauthorized")


async def test_every_route_asks_for_authority() -> None:
    """No operation runs without its action having been granted."""
    gate = DenyingGate()
    asked, nameless = gate.asked, 0
    world = World()
    world.indices.add("x")
    routes = standard_routes(world.services())
    async with world.serve(gate=gate) as client:
        for each in routes:
            for path in each.paths:
                for name in ("index", "id", "name", "node_id", "task_id"):
                    path = path.replace(f"{{{name}}}", "x")
                for method in each.methods:
                    answer = await client(method, path, {} if each.body else None)
                    if each.check is not None and answer.status == 400:
                        continue  # denied too, but what is wrong with the body is told first
                    if "/x" not in path and answer.status == 400:
                        nameless += 1  # nothing is named that could be judged
                        continue
                    if method != "HEAD":
                        assert_error(
                            answer,
                            403,
                            "security_exception",
                            f"action [{each.action}] is unauthorized",
                        )
    assert len(asked) + nameless == sum(len(each.paths) * len(each.methods) for each in routes)


def test_every_route_names_an_action_and_known_methods() -> None:
    for each in standard_routes(World().services()):
        assert each.action.split(":")[0] in ("cluster", "indices")
        assert set(each.methods) <= set(METHODS)


async def test_a_request_that_the_stopping_server_cancels_is_a_503() -> None:
    started = asyncio.Event()

    async def endless(request: Request) -> Response:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with World().serve([route(endless)]) as client, asyncio.TaskGroup() as group:
        call = group.create_task(client("GET", "/_test"))
        await started.wait()
        call.cancel()
        answer = await call
        assert_error(answer, 503, "node_closed_exception", "node closed")
