"""The audit log: which events are written, what a line holds, and what it never does."""

import json
from typing import Any

import pytest

from sealane.errors import IllegalArgument
from sealane.model.audit import Event
from sealane.model.security import ApiKeyIdentity, AuthenticationType, Realm, Secret, Subject
from sealane.security.audit import FLOOD_MOST, Audit, Origin, silent
from sealane.settings import Settings
from sealane.settings.audit_settings import wanted_events

NATIVE = Realm(name="default_native", type="native")
ANN = Subject(name="ann", realm=NATIVE, roles=("reader",))
FROM = Origin(type="rest", address="10.0.0.7:51000")
LOGFILE = "xpack.security.audit.logfile.events"
NOON_MS = 1_795_348_800_123


def audited(include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> Settings:
    chosen = {f"{LOGFILE}.include": include} if include else {}
    return Settings(
        {"xpack.security.audit.enabled": "true", f"{LOGFILE}.exclude": exclude, **chosen}
    )


class Written:
    """An audit log in memory, and its clock."""

    def __init__(self, *names: str) -> None:
        self.now_ms = NOON_MS
        self.lines: list[str] = []
        self.audit = Audit(
            wanted=wanted_events(audited(names)),
            node_id="n1",
            now_ms=lambda: self.now_ms,
            write=self.lines.append,
        )

    @property
    def last(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.lines[-1])
        return found


def test_access_granted() -> None:
    log = Written()
    log.audit.event(
        Event.ACCESS_GRANTED,
        subject=ANN,
        origin=FROM,
        action="indices:data/read/search",
        indices=["cities"],
        request_id="r1",
        opaque_id="o1",
    )
    assert log.last == {
        "type": "audit",
        "timestamp": "2026-11-22T12:00:00,123+0000",
        "node.id": "n1",
        "event.type": "transport",
        "event.action": "access_granted",
        "authentication.type": "REALM",
        "user.name": "ann",
        "user.realm": "default_native",
        "user.roles": ["reader"],
        "origin.type": "rest",
        "origin.address": "10.0.0.7:51000",
        "request.id": "r1",
        "action": "indices:data/read/search",
        "indices": ["cities"],
        "opaque_id": "o1",
    }


def test_authentication_failed() -> None:
    log = Written()
    log.audit.event(
        Event.AUTHENTICATION_FAILED, user="eve", origin=FROM, uri="/_search?q=a", method="GET"
    )
    shown = {key: value for key, value in log.last.items() if key not in ("timestamp", "type")}
    assert shown == {
        "node.id": "n1",
        "event.type": "rest",
        "event.action": "authentication_failed",
        "user.name": "eve",
        "origin.type": "rest",
        "origin.address": "10.0.0.7:51000",
        "url.path": "/_search",
        "url.query": "q=a",
        "request.method": "GET",
    }


def test_run_as() -> None:
    """Who asked, and as whom."""
    bob = Subject(name="bob", realm=NATIVE, authenticated_by=ANN)
    log = Written()
    log.audit.event(Event.ACCESS_DENIED, subject=bob, action="a")
    assert (log.last["user.name"], log.last["user.run_by.name"]) == ("bob", "ann")
    log.audit.event(Event.RUN_AS_DENIED, subject=ANN, run_as="bob", action="a")
    assert (log.last["user.name"], log.last["user.run_as.name"]) == ("ann", "bob")


def test_a_cross_cluster_caller_is_its_key_and_the_user_a_claim() -> None:
    """T-1: what the other cluster says of its user is told apart from the key, which was proven."""
    key = ApiKeyIdentity(id="k1", name="eu", creator="root", creator_realm=NATIVE)
    claimed = Subject(
        name="elastic",
        realm=Realm(name="reserved", type="reserved"),
        type=AuthenticationType.CROSS_CLUSTER_ACCESS,
        roles=("superuser",),
        api_key=key,
    )
    log = Written()
    log.audit.event(Event.ACCESS_GRANTED, subject=claimed, action="a")
    assert log.last["authentication.type"] == "CROSS_CLUSTER_ACCESS"
    assert (log.last["user.name"], log.last["apikey.id"], log.last["apikey.name"]) == (
        "root",
        "k1",
        "eu",
    )
    assert log.last["cross_cluster_access"] == {
        "user.name": "elastic",
        "user.realm": "reserved",
        "user.roles": ["superuser"],
    }


def test_config_change() -> None:
    log = Written()
    change = {"put": {"user": {"name": "ann", "roles": ["a"], "password": "hush"}}}
    log.audit.config_change("put_user", change, subject=ANN, origin=FROM)
    assert log.last["event.type"] == "security_config_change"
    assert log.last["event.action"] == "put_user"
    assert log.last["put"]["user"] == {"name": "ann", "roles": ["a"], "password": "::es_redacted::"}


@pytest.mark.parametrize(
    ("include", "exclude", "written"),
    [
        ((), (), False),
        (("_all",), (), True),
        (("*",), ("authentication_success",), False),
        (("AUTHENTICATION_SUCCESS",), (), True),
        (("_all",), ("_all",), False),
    ],
)
def test_events_are_chosen(
    include: tuple[str, ...], exclude: tuple[str, ...], written: bool
) -> None:
    """Successful authentications are left out unless they are asked for, as the reference does."""
    log = Written()
    log.audit.set_wanted(wanted_events(audited(include, exclude)))
    log.audit.event(Event.AUTHENTICATION_SUCCESS, subject=ANN)
    assert bool(log.lines) is written
    assert log.audit.wants(Event.AUTHENTICATION_SUCCESS) is written


def test_nothing_is_wanted_while_auditing_is_off() -> None:
    assert wanted_events(Settings()) == frozenset()
    assert wanted_events(Settings({f"{LOGFILE}.include": ("_all",)})) == frozenset()


def test_an_unknown_event_is_refused() -> None:
    with pytest.raises(IllegalArgument, match=r"invalid event name specified \[acess_denied\]"):
        wanted_events(audited(("acess_denied",)))


def test_off_writes_nothing() -> None:
    log = silent()
    for event in Event:
        assert not log.wants(event)
        log.event(event, subject=ANN)
    log.config_change("put_user", {})
    log.close()


@pytest.mark.parametrize(
    "text",
    [
        'a"\n{"type":"audit","event.action":"access_granted"}',
        "\x1b[2J\x1b]0;title\x07",
        "\x7f\x80\x9b2J",
        "\u2028\u2029\u202eflipped",
        "\ud800",
        "\r\n" * 5,
    ],
)
def test_whatever_a_stranger_sends_stays_one_line(text: str) -> None:
    """T-34: control characters are escaped, and what was sent can be read back."""
    log = Written("_all")
    log.audit.event(
        Event.AUTHENTICATION_FAILED, user=text, opaque_id=text, uri=f"/{text}", origin=FROM
    )
    [line] = log.lines
    assert line.isascii()
    assert line.isprintable()
    assert log.last["user.name"] == text


def test_lengths_are_capped() -> None:
    """T-34: a name of a megabyte, thousands of indices and a bottomless change stay short."""
    deep: Any = "x"
    for _ in range(2_000):
        deep = {"a": deep, "b": [deep]}
        if len(repr(deep)) > 50_000:
            break
    log = Written()
    log.audit.event(Event.AUTHENTICATION_FAILED, user="u" * 1_000_000, origin=FROM)
    assert len(log.lines[-1]) < 2_000
    log.audit.event(
        Event.ACCESS_DENIED, subject=ANN, action="a", indices=[f"i{n}" for n in range(9_999)]
    )
    assert log.last["indices"][-1] == "... 9899 more"
    log.audit.config_change("put_role", {"put": deep, "many": {str(n): n for n in range(9_999)}})
    assert len(log.lines[-1]) < 1_000_000
    assert len(log.last["many"]) == 101


def test_secrets_are_not_written() -> None:
    """T-33: neither as such nor under the names they come by."""
    log = Written()
    hidden = Secret("hush-1")
    change = {
        "put": {"API_KEY": "hush-2", "list": [{"password_hash": "hush-3"}], "value": hidden},
        "other": {("a", 1): {hidden}},
    }
    log.audit.config_change("create_apikey", change)
    assert "hush" not in log.lines[-1]
    assert log.last["put"]["value"] == "::es_redacted::"


def test_a_flood_is_summarised() -> None:
    """T-25: a source's failures beyond the first hundred of a minute are one line."""
    log = Written()
    for n in range(FLOOD_MOST + 900):
        port = Origin(type="rest", address=f"10.0.0.7:{n + 1000}")
        log.audit.event(Event.AUTHENTICATION_FAILED, user=f"u{n}", origin=port)
    assert len(log.lines) == FLOOD_MOST
    log.audit.event(Event.AUTHENTICATION_FAILED, origin=Origin(type="rest", address="[::1]:5"))
    assert len(log.lines) == FLOOD_MOST + 1, "another source has its own count"
    log.now_ms += 60_000
    log.audit.event(Event.ACCESS_GRANTED, subject=ANN, action="a")
    summary = json.loads(log.lines[-2])
    assert summary["event.type"] == "summary"
    assert summary["event.action"] == "authentication_failed"
    assert (summary["origin.address"], summary["left_out"]) == ("10.0.0.7", 900)
    log.audit.event(Event.AUTHENTICATION_FAILED, user="u", origin=FROM)
    assert log.last["user.name"] == "u", "the next minute begins anew"


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("10.0.0.7:51000", "10.0.0.7"),
        ("10.0.0.7", "10.0.0.7"),
        ("[::1]:5", "[::1]"),
        ("2001:db8::1", "2001:db8::1"),
        ("", ""),
    ],
)
def test_a_source_is_a_host_whatever_its_port(address: str, host: str) -> None:
    assert Origin(address=address).host == host


def test_what_users_do_is_written_whole() -> None:
    """Only events that strangers can cause are summarised."""
    log = Written()
    for _ in range(FLOOD_MOST * 2):
        log.audit.event(Event.ACCESS_DENIED, subject=ANN, origin=FROM, action="a")
    assert len(log.lines) == FLOOD_MOST * 2


def test_many_sources_take_bounded_memory() -> None:
    """T-25: from the ten thousandth address on, strangers share one count."""
    log = Written()
    for n in range(10_000 + 3 * FLOOD_MOST):
        log.audit.event(
            Event.TAMPERED_REQUEST,
            origin=Origin(type="rest", address=f"10.{n // 256}.{n % 256}.1:1"),
        )
    assert len(log.lines) == 10_000 + FLOOD_MOST
    log.audit.close()
    assert log.last["left_out"] == 2 * FLOOD_MOST


def test_a_clock_that_goes_back_loses_nothing() -> None:
    log = Written()
    for _ in range(FLOOD_MOST + 5):
        log.audit.event(Event.AUTHENTICATION_FAILED, origin=FROM)
    log.now_ms -= 3_600_000
    log.audit.event(Event.AUTHENTICATION_FAILED, user="late", origin=FROM)
    assert log.last["user.name"] == "late"
    assert json.loads(log.lines[-2])["left_out"] == 5
