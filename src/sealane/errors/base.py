"""What every error has: its JSON, and its form on the wire."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self


class ApiError(Exception):
    """An error with the reference's type name and HTTP status.

    `metadata` holds the members the reference prints beside type and reason (`index`, `index_uuid`, `line`, ...).
    `caused_by` nests; `root_causes` defaults to the error itself.
    """

    es_type: str = "exception"
    status: int = 500
    root_shows_suppressed: ClassVar[bool] = False
    _by_type: ClassVar[dict[str, type["ApiError"]]] = {}

    def __init__(
        self,
        reason: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        caused_by: "ApiError | None" = None,
        root_causes: "Sequence[ApiError] | None" = None,
        suppressed: "Sequence[ApiError]" = (),
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.metadata: dict[str, Any] = dict(metadata or {})
        self.caused_by = caused_by
        self.root_causes = list(root_causes) if root_causes is not None else None
        self.suppressed = list(suppressed)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        ApiError._by_type.setdefault(cls.es_type, cls)

    def __str__(self) -> str:
        return self.reason

    def to_cause(self) -> dict[str, Any]:
        """The error as it appears inside another answer: `caused_by`, a bulk item, a shard failure."""
        body: dict[str, Any] = {"type": self.es_type, "reason": self.reason, **self.metadata}
        if self.caused_by is not None:
            body["caused_by"] = self.caused_by.to_cause()
        if self.suppressed:
            body["suppressed"] = [each.to_cause() for each in self.suppressed]
        return body

    def to_body(self) -> dict[str, Any]:
        """The whole answer body: `{"error": {"root_cause": [...], ...}, "status": n}`."""
        roots = self.root_causes if self.root_causes is not None else [self]
        shown = [each._as_root() for each in roots]
        return {"error": {"root_cause": shown, **self.to_cause()}, "status": self.status}

    def _as_root(self) -> dict[str, Any]:
        """The error in `root_cause`: no causes, and what it suppressed only where the class says so."""
        body: dict[str, Any] = {"type": self.es_type, "reason": self.reason, **self.metadata}
        if self.suppressed and self.root_shows_suppressed:
            body["suppressed"] = [each._as_root() for each in self.suppressed]
        return body

    def to_wire(self) -> dict[str, Any]:
        """Plain data that `from_wire` turns back into an equal error on the other side."""
        return {
            "type": self.es_type,
            "status": self.status,
            "reason": self.reason,
            "metadata": self.metadata,
            "caused_by": self.caused_by.to_wire() if self.caused_by else None,
            "root_causes": None
            if self.root_causes is None
            else [each.to_wire() for each in self.root_causes],
            "suppressed": [each.to_wire() for each in self.suppressed],
        }

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> "ApiError":
        """The error a remote sent. A type unknown here keeps its name, status and members."""
        known = ApiError._by_type.get(data["type"], ApiError)
        error = known.__new__(known)
        ApiError.__init__(
            error,
            data["reason"],
            metadata=data["metadata"],
            caused_by=cls.from_wire(data["caused_by"]) if data["caused_by"] else None,
            root_causes=None
            if data["root_causes"] is None
            else [cls.from_wire(each) for each in data["root_causes"]],
            suppressed=[cls.from_wire(each) for each in data["suppressed"]],
        )
        error.es_type, error.status = data["type"], data["status"]
        return error

    def with_metadata(self, **members: Any) -> Self:
        """This error with further members; `_` at a name's end is dropped, `__` inside becomes a dot."""
        self.metadata.update({k.rstrip("_").replace("__", "."): v for k, v in members.items()})
        return self
