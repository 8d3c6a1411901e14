"""What other clusters may ask for, and which of their claims are believed."""

from dataclasses import replace

import pytest

from sealane.errors import SecurityError
from sealane.model.security import SYSTEM, AuthenticationType, Realm, Subject
from sealane.security.rules.access import denied_toward
from sealane.security.rules.cross_cluster import (
    ALLOWED,
    SYSTEM_SIDE,
    SubjectHeaders,
    check_key_descriptor,
    claimed_subject,
    effective_sides,
    is_allowed,
    validate_subject,
)
from sealane.security.rules.key_access import KeyAccess, access_descriptor
from sealane.security.rules.permission import Permission
from sealane.security.rules.privileges import (
    cluster_privileges_granting,
    index_privileges_granting,
    is_cluster_action,
)
from sealane.security.rules.subject_codec import encode_subject_info
from tests.unit.security.rules.subjects import api_key, entry, role, user

SEARCH = "indices:data/read/search"
KEY = (access_descriptor(KeyAccess(search=(entry("logs*", "read"),))),)
COPY = (access_descriptor(KeyAccess(replication=(entry("logs*", "x"),))),)


@pytest.mark.parametrize("action", sorted(ALLOWED))
def test_what_is_allowed_is_granted_by_some_privilege(action: str) -> None:
    listed = (
        cluster_privileges_granting(action)
        if is_cluster_action(action)
        else index_privileges_granting(action)
    )
    assert listed
    assert is_allowed(action)
    assert is_allowed(f"internal:transport/proxy/{action}")


@pytest.mark.parametrize(
    "action",
    [
        "",
        "indices:data/write/bulk",
        "indices:data/read/get",
        "indices:data/read/search[phase/other]",
        "indices:admin/delete",
        "cluster:admin/settings/update",
        "cluster:admin/xpack/security/user/put",
        "cluster:admin/tasks/cancel",
        "cluster:monitor/nodes/stats",
        "internal:cluster/coordination/join",
        "internal:rest/forward",
        "internal:transport/proxy/internal:rest/forward",
        "internal:transport/proxy/internal:transport/proxy/indices:data/read/search",
        "internal:transport/proxy/",
        "INDICES:data/read/search",
        "indices:data/read/search ",
    ],
)
def test_everything_else_is_not(action: str) -> None:
    """X-60, X-61, T-22."""
    assert not is_allowed(action)


def test_no_write_is_allowed_with_any_key_and_any_user() -> None:
    """X-60, T-21: neither by a raw action of the user nor by what the key stands for."""
    root = role(entry("*", ["all", "indices:*"], restricted=True), cluster=["all"])
    for key in (KEY, COPY):
        both = Permission(effective_sides(key, ((root,),)))
        for action in (
            "indices:data/write/bulk[s]",
            "indices:admin/delete",
            "indices:admin/create",
        ):
            assert not both.index(action, "logs-1")
        assert not both.cluster("cluster:admin/settings/update")


def claimed(subject: Subject, *sides: tuple[object, ...]) -> Subject:
    return claimed_subject(encode_subject_info(subject, sides))  # type: ignore[arg-type]


def test_a_user_s_own_rights_narrow_the_key() -> None:
    """X-32, X-33, X-37, X-53: what is claimed beyond the key is worth nothing."""
    told = claimed(user(), (role(entry("*", "all"), cluster=["all"]),))
    both = Permission(effective_sides(KEY, told.sides or ()))
    assert both.index(SEARCH, "logs-1")
    assert not both.index(SEARCH, "docs")
    assert not both.index("indices:data/write/bulk", "logs-1")
    narrow = claimed(user(), (role(entry("logs-2", "read")),))
    both = Permission(effective_sides(KEY, narrow.sides or ()))
    assert not both.index(SEARCH, "logs-1")
    assert both.index(SEARCH, "logs-2")


def test_a_user_that_nothing_is_said_of_has_no_rights() -> None:
    """Fail closed: the key alone never decides."""
    for sides in ((), ((),)):
        told = claimed(user(), *sides)
        assert told.sides
        assert not Permission(effective_sides(KEY, told.sides)).index(SEARCH, "logs-1")
    assert not Permission(effective_sides(KEY, ())).index_action(SEARCH)


def test_a_claim_within_a_claim_is_refused() -> None:
    """X-50, T-10."""
    nested = replace(user(), type=AuthenticationType.CROSS_CLUSTER_ACCESS)
    for subject in (nested, user(authenticated_by=nested)):
        with pytest.raises(SecurityError, match="nested cross cluster access is not supported"):
            claimed(subject, (role(entry("*", "read")),))


@pytest.mark.parametrize(
    "name", ["_xpack", "_xpack_security", "_async_search", "_security_profile"]
)
def test_no_internal_user_but_one_is_believed(name: str) -> None:
    """X-51, T-11."""
    internal = replace(SYSTEM, name=name)
    for subject in (internal, user(authenticated_by=internal)):
        with pytest.raises(SecurityError, match="unexpected internal user"):
            claimed(subject)
    with pytest.raises(SecurityError, match="unexpected internal user"):
        claimed(replace(SYSTEM, realm=Realm(name="native", type="native")))
    with pytest.raises(SecurityError, match="unexpected internal user"):
        validate_subject(replace(SYSTEM, authenticated_by=user()), ())


def test_what_the_node_itself_may_is_not_for_it_to_say() -> None:
    """X-52, X-59, T-38: bounded by the key as well."""
    fat = (role(entry("*", "all", restricted=True), cluster=["all"]),)
    system = claimed(SYSTEM, fat)
    assert system.sides == (SYSTEM_SIDE,)
    both = Permission(effective_sides(KEY, system.sides or ()))
    assert both.cluster("cluster:internal/remote_cluster/nodes")
    assert not both.index(SEARCH, "logs-1")
    assert not both.cluster("cluster:monitor/state")
    copies = Permission(effective_sides(COPY, system.sides or ()))
    assert copies.cluster("cluster:monitor/state")
    assert copies.index("indices:data/read/xpack/ccr/shard_changes", "logs-1")
    assert not copies.index("indices:data/read/xpack/ccr/shard_changes", "docs-1")


def test_a_key_to_search_cannot_copy_and_one_to_copy_cannot_search() -> None:
    """X-58."""
    root = ((role(entry("*", "all")),),)
    assert not Permission(effective_sides(KEY, root)).index(
        "indices:data/read/xpack/ccr/shard_changes", "docs"
    )
    assert not Permission(effective_sides(COPY, root)).index(SEARCH, "logs-1")


def test_an_old_key_that_copies_what_it_limits_is_refused() -> None:
    """CVE-2024-23445: such keys cannot be made any more."""
    bad = access_descriptor(
        KeyAccess(search=(entry("a", "read", query="{}"),), replication=(entry("a", "x"),))
    )
    with pytest.raises(SecurityError, match=r"Cross cluster API key \[k1\] is invalid"):
        check_key_descriptor("k1", bad)
    check_key_descriptor("k1", KEY[0])


def test_what_this_node_says_of_whom_it_asks_for() -> None:
    """X-34, X-42: the rights of the effective user on that cluster; without any nothing is said at all."""
    headers = SubjectHeaders()
    assert claimed_subject(headers.system()).sides == (SYSTEM_SIDE,)
    some = Permission(((role(remote=[("kb", entry("logs-1", "read"))]),),), role_names=("r",))
    told = claimed_subject(headers.user(user(), some, "kb", SEARCH))
    assert [
        entry.names for side in told.sides or () for each in side for entry in each.indices
    ] == [("logs-1",)]
    with pytest.raises(SecurityError) as raised:
        headers.user(user(), some, "other", SEARCH)
    assert raised.value.reason == denied_toward(user(), "other", SEARCH, ("r",)).reason
    with pytest.raises(SecurityError, match="nested"):
        headers.user(
            replace(user(), type=AuthenticationType.CROSS_CLUSTER_ACCESS), some, "kb", SEARCH
        )


def test_a_key_of_a_user_is_told_as_the_key() -> None:
    told = claimed(api_key("u"), (role(entry("a", "read")),), (role(entry("a", "read")),))
    assert told.api_key == api_key("u").api_key
    assert len(told.sides or ()) == 2
