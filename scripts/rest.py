"""One kept-alive HTTP connection to a node, for the programs of this folder. Plain HTTP on
purpose: comparing and measuring must not depend on the client that the project itself ships or
tests with."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

# Characters of a path that are sent as written: everything but blanks and non-ASCII.
_SENT_AS_WRITTEN = "/?&=:,*-_.~%+<>{}()[]!'\"|@$;#^\\`"


class UnexpectedAnswerError(Exception):
    """A node refused a step that the program needs."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is the parsed JSON, or the text where the answer is not JSON."""

    status: int
    body: Any


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    data: bytes | None,
    headers: Mapping[str, str],
) -> tuple[http.client.HTTPResponse, bytes]:
    """One call and its answer's body. On a connection that the server has closed meanwhile it is
    tried once more on a new one. Raises `OSError` or `http.client.HTTPException` when no answer comes.
    """
    target = quote(path, safe=_SENT_AS_WRITTEN)
    for is_last_try in (False, True):
        try:
            connection.request(method, target, data, headers)
            response = connection.getresponse()
            return response, response.read()
        except ConnectionError:
            connection.close()
            if is_last_try:
                raise
    raise AssertionError("unreachable")


class Rest:
    """A connection to `url` (`http://host:port`), opened at the first call and closed by `close`."""

    def __init__(self, url: str, *, timeout_s: float = 120.0) -> None:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        if parts.hostname is None:
            raise ValueError(f"not a url: [{url}]")
        self.url = f"http://{parts.hostname}:{parts.port or 9200}"
        self._connection = http.client.HTTPConnection(
            parts.hostname, parts.port or 9200, timeout=timeout_s
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def call(
        self,
        method: str,
        path: str,
        body: str | bytes | None = None,
        *,
        content_type: str = "application/json",
    ) -> Answer:
        """Raises `OSError` or `http.client.HTTPException` when no answer comes."""
        data = body.encode() if isinstance(body, str) else body
        headers = {"Content-Type": content_type} if data is not None else {}
        response, answer = exchange(self._connection, method, path, data, headers)
        return Answer(response.status, parsed(answer))

    def must(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        missing_ok: bool = False,
    ) -> Any:
        """The body of an answer that has to be 2xx (or 404 with `missing_ok`).

        Raises `UnexpectedAnswerError` with the node's own words otherwise.
        """
        answer = self.call(method, path, None if body is None else json.dumps(body))
        if 200 <= answer.status < 300 or (missing_ok and answer.status == 404):
            return answer.body
        raise UnexpectedAnswerError(
            f"{method} {self.url}{path} answered {answer.status}: {answer.body}"
        )

    def bulk(self, path: str, lines: bytes) -> None:
        """Sends one bulk request. Raises `UnexpectedAnswerError` unless every item went in."""
        answer = self.call("POST", path, lines, content_type="application/x-ndjson")
        if answer.status != 200:
            raise UnexpectedAnswerError(
                f"bulk at {self.url} answered {answer.status}: {answer.body}"
            )
        if answer.body["errors"]:
            failed = next(item for item in answer.body["items"] if "error" in item["index"])
            raise UnexpectedAnswerError(f"bulk at {self.url} refused an item: {failed}")


def parsed(data: bytes) -> Any:
    """JSON, or the text where it is none."""
    if not data:
        return ""
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf-8", "replace")
