"""One request as handlers see it, and what they answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sealane.model.task import Context
from sealane.query.any_json import dumps

JSON = b"application/json"
TEXT = b"text/plain; charset=UTF-8"
YAML = b"application/yaml"
Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(slots=True)
class Request:
    """`path` and `uri` are as the client sent them, `uri` with its query. `params` are parsed by the route's types.

    `path_params` are decoded. `body` is decompressed and, where it came as YAML, turned into JSON.
    """

    method: str
    path: str
    uri: str
    path_params: Mapping[str, str]
    params: Mapping[str, Any]
    body: bytes
    ctx: Context
    accepts_text: bool = True
    """False when the client asked for a structured format, by header or parameter: `_cat` then answers objects."""
    media: tuple[str | None, str | None] = (None, None)
    """The headers Content-Type and Accept of a request that is passed on."""

    @property
    def index(self) -> str:
        """The `{index}` of the path; empty where the path has none."""
        return self.path_params.get("index", "")

    @property
    def indices(self) -> tuple[str, ...]:
        """The `{index}` of the path as a list of expressions; empty means all."""
        expression = self.path_params.get("index", "")
        return tuple(each for each in expression.split(",") if each)


@dataclass(slots=True)
class Response:
    """`body` is JSON unless `content_type` says otherwise. `headers` are added to the usual ones."""

    body: bytes = b""
    status: int = 200
    content_type: bytes = JSON
    headers: Headers = field(default=())


def json_response(data: Any, status: int = 200, headers: Headers = ()) -> Response:
    return Response(dumps(data), status, JSON, headers)


ACKNOWLEDGED = Response(b'{"acknowledged":true}')
