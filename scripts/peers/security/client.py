"""One HTTP connection to a node, on which every call comes from somebody else. Plain `http.client`, as `scripts.rest`
has it.
"""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from scripts.rest import UnexpectedAnswerError, exchange, parsed
from sealane.testing.process import basic

SUPERUSER = "elastic"
PASSWORD = "changeme-1"
"""Of the superuser on every node of the duel, and of nothing else."""
_CHALLENGE = "www-authenticate"


@dataclass(frozen=True, slots=True)
class Told:
    """An answer. `challenge` are the values of WWW-Authenticate; `body` is text where it is not JSON."""

    status: int
    body: Any
    challenge: tuple[str, ...]


class Client:
    """Raises OSError or `http.client.HTTPException` where no answer comes."""

    def __init__(self, url: str, *, timeout_s: float = 60.0) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=timeout_s
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
        body: str | None = None,
        *,
        authorization: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Told:
        sent = {"Content-Type": "application/json", **(headers or {})}
        if authorization is not None:
            sent["Authorization"] = authorization
        data = None if body is None else body.encode()
        response, answer = exchange(self._connection, method, path, data, sent)
        challenge = response.headers.get_all(_CHALLENGE) or ()
        return Told(response.status, parsed(answer), tuple(challenge))

    def must(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """As the superuser; the body of an answer that has to be 200. Raises UnexpectedAnswerError."""
        told = self.call(
            method,
            path,
            None if body is None else json.dumps(body),
            authorization=basic(SUPERUSER, PASSWORD),
        )
        if told.status != 200:
            raise UnexpectedAnswerError(f"{method} {path} answered {told.status}: {told.body}")
        return told.body
