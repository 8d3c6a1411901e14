"""The first verdict, and the sentences of denials: those of a server of version 8.19 for the same roles."""

import pytest

from sealane.errors import SecurityError
from sealane.model.access import Access
from sealane.model.security import AuthenticationType, Side, Subject
from sealane.security.rules.access import SubjectAccess, denied, denied_run_as, denied_toward
from sealane.security.rules.authority import access_of, is_about_oneself
from sealane.security.rules.permission import Permission
from tests.unit.security.rules.subjects import NATIVE, api_key, entry, identity, role, user

SEARCH = "indices:data/read/search"
HEALTH = "cluster:monitor/health"
READS: Side = (role(entry("logs-1", "read")),)


def permission(side: Side = READS, found: tuple[str, ...] = ("r",)) -> Permission:
    return Permission((side,), role_names=found)


def test_an_action_that_is_granted_nowhere_is_denied_at_once() -> None:
    nothing = permission((role(),))
    with pytest.raises(SecurityError) as raised:
        access_of(user(), nothing, HEALTH)
    assert raised.value.reason == (
        "action [cluster:monitor/health] is unauthorized for user [u] with effective roles [r], this action is "
        "granted by the cluster privileges [monitor,manage,all]"
    )
    with pytest.raises(SecurityError) as raised:
        access_of(user(), nothing, SEARCH, ["logs-1", "x*", "_all"])
    assert raised.value.reason == (
        "action [indices:data/read/search] is unauthorized for user [u] with effective roles [r] on indices "
        "[logs-1], this action is granted by the index privileges [read,all]"
    )
    assert raised.value.status == 403
    assert "header" not in raised.value.metadata


def test_patterns_are_not_named_in_a_denial() -> None:
    with pytest.raises(SecurityError) as raised:
        access_of(user(), permission((role(),)), SEARCH, ["logs-*"])
    assert "on indices" not in raised.value.reason


def test_a_change_of_aliases_is_denied_with_its_indices_as_they_are_written() -> None:
    with pytest.raises(SecurityError, match=r"on indices \[a,e,c\*\]"):
        access_of(user(), permission((role(),)), "indices:admin/aliases", ["a", "c*", "e"])


def test_of_what_is_made_of_items_no_index_is_named() -> None:
    with pytest.raises(SecurityError) as raised:
        access_of(user(), permission((role(),)), "indices:data/write/bulk", ["logs-1"])
    assert "on indices" not in raised.value.reason


def test_a_request_to_another_cluster_goes_on_without_rights_here() -> None:
    access = access_of(user(), permission((role(),)), SEARCH, ["kb:logs-1", "l*"])
    assert not access.allows("logs-1")


def test_names_are_judged_one_by_one() -> None:
    access: Access = access_of(user(), permission(), SEARCH)
    assert access.allows("logs-1")
    assert access.allows("logs-1")
    assert not access.allows("logs-2")
    assert access.limits(["logs-1"]) is None
    assert access.acting("indices:data/write/bulk[s]").allows("logs-1") is False
    assert access.acting(SEARCH) is access


@pytest.mark.parametrize(
    "action",
    [
        "",
        "x",
        "internal:cluster/coordination/join",
        "internal:transport/proxy/internal:rest/forward",
        "INDICES:data/read/search",
    ],
)
def test_an_action_of_no_known_kind_is_denied(action: str) -> None:
    """Whoever asks: such actions are for nodes among themselves."""
    everything = permission((role(entry("*", "all", restricted=True), cluster=["all"]),))
    with pytest.raises(SecurityError):
        access_of(user(), everything, action, ["kb:a"])


@pytest.mark.parametrize(
    "action",
    [
        "cluster:admin/xpack/security/user/authenticate",
        "cluster:admin/xpack/security/user/change_password",
        "indices:data/read/scroll/clear",
        "indices:data/read/close_point_in_time",
        "indices:data/read/async_search/get",
    ],
)
def test_some_may_be_done_without_any_role(action: str) -> None:
    access_of(user(), permission((), ()), action)
    with pytest.raises(SecurityError):
        access_of(crossing(user()), permission((), ()), action)


def test_what_is_passed_on_is_judged_as_what_it_is() -> None:
    """A node judges it again where it is run."""
    access_of(user(), permission(), f"internal:transport/proxy/{SEARCH}")
    access_of(user(), permission((), ()), "internal:rest/forward")
    for action in ("indices:admin/delete", "internal:transport/proxy/" * 2_000 + SEARCH):
        with pytest.raises(SecurityError):
            access_of(user(), permission(), f"internal:transport/proxy/{action}")
    with pytest.raises(SecurityError):
        access_of(crossing(user()), permission(), "internal:rest/forward")


def test_only_a_user_is_itself() -> None:
    assert is_about_oneself(user("a"), "a")
    assert not is_about_oneself(user("a"), "A")
    assert not is_about_oneself(api_key("a"), "a")


def crossing(claimed: Subject) -> Subject:
    by = claimed if claimed.api_key is not None else claimed.authenticated_by
    return Subject(
        name=claimed.name,
        realm=NATIVE,
        type=AuthenticationType.CROSS_CLUSTER_ACCESS,
        roles=claimed.roles,
        api_key=identity("k1", "elastic"),
        authenticated_by=by,
    )


@pytest.mark.parametrize(
    ("subject", "found", "who"),
    [
        (user(roles=["b", "a"]), ("b", "a"), "user [u] with effective roles [a,b]"),
        (
            user(roles=["b", "z", "a", "c"]),
            ("b", "a"),
            "user [u] with effective roles [a,b] (assigned roles [c,z] were not found)",
        ),
        (user(roles=[]), (), "user [u] with effective roles []"),
        (api_key("u"), (), "API key id [k2] of user [u]"),
        (
            user(authenticated_by=user("elastic", ["superuser"])),
            ("r",),
            "user [elastic] run as [u] with effective roles [r]",
        ),
    ],
)
def test_who_was_denied(subject: Subject, found: tuple[str, ...], who: str) -> None:
    """X-76: roles that do not exist are told."""
    error = denied(subject, found, SEARCH, ["private-1"])
    assert error.reason == (
        f"action [{SEARCH}] is unauthorized for {who} on indices [private-1], this action is granted by the "
        "index privileges [read,all]"
    )


@pytest.mark.parametrize(
    ("claimed", "who"),
    [
        (user(roles=["b", "z", "a"]), "user [u] with assigned roles [b,z,a]"),
        (api_key("u"), "API key id [k2] of user [u]"),
        (
            user(roles=["b"], authenticated_by=user("elastic", ["superuser"])),
            "user [elastic] run as [u] with assigned roles [b]",
        ),
    ],
)
def test_who_was_denied_on_behalf_of_another_cluster(claimed: Subject, who: str) -> None:
    """X-33, E10: one text, whether the key or the user lacks the privilege."""
    error = SubjectAccess(crossing(claimed), Permission(()), SEARCH).denial(["private-1"])
    assert error.reason == (
        f"action [{SEARCH}] towards remote cluster is unauthorized for {who} authenticated by API key id [k1] "
        "of user [elastic] on indices [private-1], this action is granted by the index privileges [read,all]"
    )


def test_who_has_no_rights_toward_a_cluster() -> None:
    """X-34, E9: on indices and on the cluster."""
    lost = user(roles=["a", "z"])
    assert denied_toward(lost, "ks", SEARCH, ("a",)).reason == (
        f"action [{SEARCH}] towards remote cluster [ks] is unauthorized for user [u] with effective roles [a] "
        "(assigned roles [z] were not found) because no remote indices privileges apply for the target cluster"
    )
    assert denied_toward(api_key("u"), "ks", "cluster:monitor/stats").reason.endswith(
        "for API key id [k2] of user [u] because no remote cluster privileges apply for the target cluster"
    )


def test_who_may_not_run_as_another() -> None:
    """X-80."""
    assert denied_run_as(user("peer", ["p"]), "ghost", HEALTH, ("p",)).reason == (
        "action [cluster:monitor/health] is unauthorized for user [peer] with effective roles [p], because user "
        "[peer] is unauthorized to run as [ghost]"
    )


def test_restricted_names_are_told_apart_and_all_in_the_reference_s_order() -> None:
    def on(*names: str) -> str:
        reason = denied(user(), ("r",), SEARCH, names).reason
        return reason.partition("[r] ")[2].partition(", this")[0]

    assert on("private-1", ".security", ".security-7") == (
        "on indices [private-1] and restricted indices [.security,.security-7]"
    )
    assert on(".security") == "on restricted indices [.security]"
    assert on("logs-2", "private-1") == "on indices [private-1,logs-2]"
    assert on("logs-2", "private-1", "missing") == "on indices [missing,private-1,logs-2]"
    assert on("a", "a") == "on indices [a]"


def test_a_key_of_others_is_not_for_those_who_manage_their_own() -> None:
    get = "cluster:admin/xpack/security/api_key/get"
    assert "[manage_own_api_key,read_security," in denied(user(), (), get).reason
    assert "[read_security," in denied(user(), (), get, own_keys=False).reason


def test_two_subjects_that_come_with_one_key_are_two() -> None:
    """T-3: what is kept for one is not found by the other."""
    one, other = crossing(user("a")), crossing(user("b"))
    keyed = crossing(api_key("a"))
    assert len({one.key, other.key, keyed.key, user("a").key, api_key("a").key}) == 5
    assert crossing(user("a")).key == one.key
