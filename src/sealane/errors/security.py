"""Errors of who somebody is. What they may not do is a SecurityError."""

from collections.abc import Sequence
from typing import Any, Final

from sealane.errors.base import ApiError
from sealane.errors.limits import SecurityError

CHALLENGES: Final = ('Basic realm="security", charset="UTF-8"', "ApiKey")
"""The ways to say who one is, as `WWW-Authenticate` offers them."""
_HEADER: Final = "header"


class AuthenticationFailed(SecurityError):
    """Nobody is let in by what was shown. `tried` says what became of each kind of credentials but the password."""

    status = 401

    def __init__(
        self,
        reason: str,
        *,
        tried: str | None = None,
        caused_by: ApiError | None = None,
        challenges: Sequence[str] = CHALLENGES,
        root_causes: Sequence[ApiError] | None = None,
    ) -> None:
        metadata: dict[str, Any] = {}
        if tried is not None:
            metadata["additional_unsuccessful_credentials"] = tried
        if challenges:
            metadata[_HEADER] = {"WWW-Authenticate": list(challenges)}
        super().__init__(reason, metadata=metadata, caused_by=caused_by, root_causes=root_causes)

    @property
    def challenges(self) -> tuple[str, ...]:
        """What the answer's header `WWW-Authenticate` holds, one line each."""
        return tuple(self.metadata.get(_HEADER, {}).get("WWW-Authenticate", ()))

    def to_cause(self) -> dict[str, Any]:
        """As of any error, with the headers at the end."""
        body = super().to_cause()
        if _HEADER in body:
            body[_HEADER] = body.pop(_HEADER)
        return body
