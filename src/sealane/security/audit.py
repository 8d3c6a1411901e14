"""The audit log: one JSON object a line for each thing that security let in, kept out, or was told to change.

Event and field names are the reference's. This module chooses what is written and makes the line; `write` puts it
somewhere. What happened is told by whoever decided it. A line holds no request bodies and no secrets, and whatever a
stranger chose of it, however long and with whatever in it, stays one line of printable ASCII.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from sealane.model.audit import Event
from sealane.model.security import REDACTED, AuthenticationType, Secret, Subject

_BY_STRANGERS: Final = frozenset(
    {
        Event.ANONYMOUS_ACCESS_DENIED,
        Event.AUTHENTICATION_FAILED,
        Event.CONNECTION_DENIED,
        Event.REALM_AUTHENTICATION_FAILED,
        Event.TAMPERED_REQUEST,
    }
)
"""Whoever reaches the port can cause these, as often as it likes."""

_encode: Final = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
"""One for all lines: making it takes longer than using it."""

FLOOD_MOST: Final = 100
FLOOD_WITHIN_MS: Final = 60_000
SOURCES_MAX: Final = 10_000
TEXT_MAX: Final = 1_000
ITEMS_MAX: Final = 100
_DEPTH_MAX: Final = 12
_SECRET_MEMBERS: Final = frozenset(
    {"api_key", "credentials", "encoded", "hash", "password", "password_hash", "secret", "token"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request came from: `rest`, `transport` or `local_node`, and the caller's `host:port`, or host alone."""

    type: str = "local_node"
    address: str = ""

    @property
    def host(self) -> str:
        host, colon, _ = self.address.rpartition(":")
        has_port = colon and (host.endswith("]") or ":" not in host)
        return host if has_port else self.address


NOWHERE: Final = Origin()


class Audit:
    """Writes the events that are wanted. Off, an event costs one look into an empty set.

    `now_ms` is wall time. `write` gets each line without its end; it neither blocks for long nor raises.
    """

    def __init__(
        self,
        *,
        wanted: frozenset[Event] = frozenset(),
        node_id: str = "",
        now_ms: Callable[[], int],
        write: Callable[[str], None],
    ) -> None:
        self._wanted = wanted
        self._node_id = node_id
        self._now_ms = now_ms
        self._write = write
        self._floods = _Floods()

    def set_wanted(self, wanted: frozenset[Event]) -> None:
        """From the next event on."""
        self._wanted = wanted

    @property
    def is_on(self) -> bool:
        """Whether any event is written."""
        return bool(self._wanted)

    def wants(self, event: Event) -> bool:
        """For who would have to work for the fields of an event."""
        return event in self._wanted

    def event(
        self,
        event: Event,
        *,
        subject: Subject | None = None,
        origin: Origin = NOWHERE,
        user: str = "",
        realm: str = "",
        run_as: str = "",
        action: str = "",
        indices: Sequence[str] = (),
        request_name: str = "",
        uri: str = "",
        method: str = "",
        request_id: str = "",
        opaque_id: str = "",
        key_id: str = "",
        reason: str = "",
    ) -> None:
        """One event. `user` and `key_id` are who a caller claimed to be where there is no `subject`; `uri` is with its
        query; `reason` tells an operator what was wrong.
        """
        if event not in self._wanted:
            return
        path, _, query = uri.partition("?")
        fields = {
            "event.type": "rest" if uri and not action else "transport",
            "event.action": event.value,
            **(_who(subject) if subject is not None else {"user.name": user, "apikey.id": key_id}),
            "user.run_as.name": run_as,
            "realm": realm,
            "origin.type": origin.type if origin.address else "",
            "origin.address": origin.address,
            "url.path": path,
            "url.query": query,
            "request.method": method,
            "request.id": request_id,
            "action": action,
            "request.name": request_name,
            "indices": list(indices),
            "opaque_id": opaque_id,
            "reason": reason,
        }
        self._put(event, origin, fields)

    def config_change(
        self,
        action: str,
        change: Mapping[str, Any],
        *,
        subject: Subject | None = None,
        origin: Origin = NOWHERE,
        request_id: str = "",
    ) -> None:
        """A change to users, roles or keys: `put_user`, with `{"put": {"user": {...}}}`. Members that hold secrets are
        redacted, whoever passed them.
        """
        if Event.SECURITY_CONFIG_CHANGE not in self._wanted:
            return
        fields = {
            "event.type": Event.SECURITY_CONFIG_CHANGE.value,
            "event.action": action,
            **(_who(subject) if subject is not None else {}),
            "origin.type": origin.type if origin.address else "",
            "origin.address": origin.address,
            "request.id": request_id,
            **change,
        }
        self._put(Event.SECURITY_CONFIG_CHANGE, origin, fields)

    def close(self) -> None:
        """Tells what was left out up to now."""
        self._tell(self._floods.take_all())

    def _put(self, event: Event, origin: Origin, fields: Mapping[str, Any]) -> None:
        now_ms = self._now_ms()
        self._tell(self._floods.take_over(now_ms))
        if event in _BY_STRANGERS and not self._floods.passes(event, origin.host, now_ms):
            return
        self._line(now_ms, fields)

    def _tell(self, left_out: Iterable[tuple[Event, str, int]]) -> None:
        for event, host, count in left_out:
            fields = {
                "event.type": "summary",
                "event.action": event.value,
                "origin.address": host,
                "left_out": count,
            }
            self._line(self._now_ms(), fields)

    def _line(self, now_ms: int, fields: Mapping[str, Any]) -> None:
        shown = {name: _clean(name, value, 0) for name, value in fields.items() if _says(value)}
        head = {"type": "audit", "timestamp": _timestamp(now_ms), "node.id": self._node_id}
        # JSON leaves DEL as it is, which terminals act on.
        self._write(_encode({**head, **shown}).replace("\x7f", "\\u007f"))


def silent() -> Audit:
    """One that writes nothing: where auditing is off."""
    return Audit(now_ms=lambda: 0, write=lambda line: None)


@dataclass(slots=True)
class _Window:
    began_ms: int
    passed: int = 0
    left_out: int = 0


class _Floods:
    """Counts events by kind and host; of more than FLOOD_MOST within FLOOD_WITHIN_MS the rest is left out, and its
    number told.

    Of more than SOURCES_MAX hosts at a time the further ones share one count.
    """

    def __init__(self) -> None:
        self._windows: dict[tuple[Event, str], _Window] = {}
        self._look_at_ms = 0

    def passes(self, event: Event, host: str, now_ms: int) -> bool:
        key = (event, host)
        if key not in self._windows and len(self._windows) >= SOURCES_MAX:
            key = (event, "")
        window = self._windows.setdefault(key, _Window(now_ms))
        if window.passed < FLOOD_MOST:
            window.passed += 1
            return True
        window.left_out += 1
        return False

    def take_over(self, now_ms: int) -> list[tuple[Event, str, int]]:
        """What was left out in windows that are over. Looks at most once a second: there may be many."""
        if 0 <= self._look_at_ms - now_ms <= FLOOD_WITHIN_MS:
            return []
        self._look_at_ms = now_ms + 1_000
        over = [
            key
            for key, window in self._windows.items()
            if not 0 <= now_ms - window.began_ms < FLOOD_WITHIN_MS
        ]
        return self._take(over)

    def take_all(self) -> list[tuple[Event, str, int]]:
        return self._take(list(self._windows))

    def _take(self, keys: Iterable[tuple[Event, str]]) -> list[tuple[Event, str, int]]:
        taken = [(*key, self._windows.pop(key).left_out) for key in keys]
        return [each for each in taken if each[2]]


def _who(subject: Subject) -> dict[str, Any]:
    """The fields about the one who asked; a cross-cluster caller is its key, and what it claims to be is told apart."""
    if subject.type is AuthenticationType.CROSS_CLUSTER_ACCESS:
        return {
            **_who_by_key(subject),
            "authentication.type": subject.type.name,
            "cross_cluster_access": {
                "user.name": subject.name,
                "user.realm": subject.realm.name,
                "user.roles": list(subject.roles),
            },
        }
    fields: dict[str, Any] = {
        "authentication.type": subject.type.name,
        "user.name": subject.name,
        "user.realm": subject.realm.name,
        "user.roles": list(subject.roles),
        **_key_of(subject),
    }
    by = subject.authenticated_by
    if by is not None:
        fields |= {
            "user.run_by.name": by.name,
            "user.run_by.realm": by.realm.name,
            **_key_of(by),
        }
    return fields


def _who_by_key(subject: Subject) -> dict[str, Any]:
    key = subject.api_key
    if key is None:
        return {}
    return {"user.name": key.creator, "user.realm": key.creator_realm.name, **_key_of(subject)}


def _key_of(subject: Subject) -> dict[str, Any]:
    key = subject.api_key
    return {} if key is None else {"apikey.id": key.id, "apikey.name": key.name}


def _says(value: Any) -> bool:
    return value is not None and value not in ("", [], {})


def _clean(name: str, value: Any, depth: int) -> Any:
    """The value within the limits, without secrets."""
    # `change.password.user` is no password, but tells whose has changed.
    is_secret = name.lower() in _SECRET_MEMBERS and not isinstance(value, Mapping)
    if is_secret or isinstance(value, Secret):
        return REDACTED
    if isinstance(value, str):
        return value if len(value) <= TEXT_MAX else value[:TEXT_MAX] + "..."
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth >= _DEPTH_MAX:
        return "..."
    if isinstance(value, Mapping):
        return _clean_members(value, depth)
    if isinstance(value, list | tuple | set | frozenset):
        kept = [_clean("", each, depth + 1) for each in list(value)[:ITEMS_MAX]]
        return [*kept, f"... {len(value) - ITEMS_MAX} more"] if len(value) > ITEMS_MAX else kept
    return _clean("", str(value), depth + 1)


def _clean_members(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    kept = {
        str(key)[:TEXT_MAX]: _clean(str(key), each, depth + 1)
        for key, each in list(value.items())[:ITEMS_MAX]
    }
    if len(value) > ITEMS_MAX:
        kept["..."] = f"{len(value) - ITEMS_MAX} more"
    return kept


def _timestamp(now_ms: int) -> str:
    """As the reference writes it: `2026-11-22T12:00:00,000+0000`."""
    seconds, ms = divmod(now_ms, 1000)
    return f"{_second(seconds)},{ms:03d}+0000"


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
