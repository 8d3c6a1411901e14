"""Errors as REST answers: the one place that turns an exception into status and JSON.

The JSON of an error is ApiError's own. Here are only the few answers that the reference gives as a bare text, the
mapping of what should not have happened, and `error_trace`.
"""

import logging
import traceback
from typing import Any

from sealane.errors import ApiError, Internal
from sealane.query.any_json import dumps

_log = logging.getLogger("sealane.rest")

BAD_GATEWAY = 502


class PlainError(ApiError):
    """An answer whose `error` is a text, not an object."""

    status = 400
    shows_status = True

    def to_body(self) -> dict[str, Any]:
        return (
            {"error": self.reason, "status": self.status}
            if self.shows_status
            else {"error": self.reason}
        )


class NoHandler(PlainError):
    """Nothing is served at this path."""

    shows_status = False

    def __init__(self, uri: str, method: str) -> None:
        super().__init__(f"no handler found for uri [{uri}] and method [{method}]")


class MethodNotAllowed(PlainError):
    status = 405

    def __init__(self, uri: str, method: str, allowed: list[str]) -> None:
        super().__init__(
            f"Incorrect HTTP method for uri [{uri}] and method [{method}], allowed: [{', '.join(allowed)}]"
        )
        self.allowed = ",".join(allowed)


class ContentTypeNotSupported(PlainError):
    status = 406

    def __init__(self, content_type: str) -> None:
        super().__init__(f"Content-Type header [{content_type}] is not supported")


class MediaTypeHeaderError(ApiError):
    """A Content-Type or Accept header that cannot be read, or a pair that does not fit together."""

    es_type, status = "media_type_header_exception", 400

    def __init__(self, headers: str, cause: ApiError) -> None:
        super().__init__(f"Invalid media-type value on headers [{headers}]", caused_by=cause)


class BadParameter(ApiError):
    """A query string that cannot be decoded."""

    es_type, status = "bad_parameter_exception", 400

    def __init__(self, cause: ApiError) -> None:
        super().__init__(f"java.lang.IllegalArgumentException: {cause.reason}", caused_by=cause)


class StatusError(ApiError):
    es_type, status = "status_exception", 400


def as_api_error(error: BaseException) -> ApiError:
    """The error to show. One that is a fault of ours goes to the log in full and to the client by its kind only."""
    if isinstance(error, ApiError):
        return error
    _log.error("request failed unexpectedly", exc_info=error)
    return Internal(f"internal error [{type(error).__name__}]; the node's log has the details")


def as_opensearch_shows(error: ApiError) -> ApiError:
    """The error with the status that OpenSearch gives it: a node that cannot be reached is a 500 there."""
    if error.status == BAD_GATEWAY:
        error.status = 500
    return error


def error_body(error: ApiError, *, trace: bool = False) -> bytes:
    """The answer's JSON. `trace` adds `stack_trace` to the error and its root causes."""
    body = error.to_body()
    if trace and isinstance(body["error"], dict):
        text = "".join(traceback.format_exception(error))
        for each in (*body["error"]["root_cause"], body["error"]):
            each["stack_trace"] = text
    return dumps(body)
