"""Named privileges: what they grant, and how they are told."""

import pytest

from sealane.errors import IllegalArgument
from sealane.security.rules import names
from sealane.security.rules.privileges import (
    CLUSTER_PRIVILEGES,
    INDEX_PRIVILEGES,
    check_cluster_privilege,
    check_index_privilege,
    cluster_grants,
    cluster_node,
    cluster_privileges_granting,
    index_grants,
    index_node,
    index_privileges_granting,
    is_cluster_action,
    is_index_action,
)
from tests.unit.security.rules.peer import ANSWERS


@pytest.mark.parametrize(("action", "kind", "listed"), ANSWERS["granted_by"], ids=lambda v: v[:40])
def test_the_privileges_that_grant_an_action_are_those_of_the_reference(
    action: str, kind: str, listed: str
) -> None:
    """What a denial says would do, for each action that was seen denied."""
    if kind == "index":
        assert ",".join(index_privileges_granting(action)) == listed
    else:
        own = "manage_own_api_key" in listed
        assert ",".join(cluster_privileges_granting(action, own_keys=own)) == listed
    assert (is_index_action if kind == "index" else is_cluster_action)(action)


def test_a_raw_action_grants_all_that_begins_like_it() -> None:
    grants = index_grants(("INDICES:data/read/get", "indices:admin/*/x"))
    assert grants("indices:data/read/get")
    assert grants("indices:data/read/get[shard]")
    assert grants("indices:admin/a/xyz")
    assert not grants("indices:data/read/search")


def test_names_are_known_in_any_case_and_kept_apart_otherwise() -> None:
    assert index_grants(("READ",))("indices:data/read/search")
    assert cluster_grants(("Monitor",))("cluster:monitor/health")
    assert not cluster_grants(("monitor",))("cluster:admin/settings/update")
    assert not index_grants(("monitor",))("cluster:monitor/health")


@pytest.mark.parametrize("privilege", [" read", "read ", "r\u0435ad", "", "nope", "cluster:x"])
def test_what_is_no_privilege_grants_nothing(privilege: str) -> None:
    """T-40: look-alikes and blanks are no names."""
    grants = index_grants((privilege,))
    assert not grants("indices:data/read/search")
    with pytest.raises(IllegalArgument, match="unknown index privilege"):
        check_index_privilege(privilege)


@pytest.mark.parametrize("privilege", ["", "indices:data/read", "internal:x", "monitor "])
def test_what_is_no_cluster_privilege_is_refused(privilege: str) -> None:
    with pytest.raises(IllegalArgument, match="unknown cluster privilege"):
        check_cluster_privilege(privilege)
    assert not cluster_grants((privilege,))("cluster:monitor/health")


def test_security_is_not_managed_by_who_manages_the_rest() -> None:
    manage = cluster_grants(("manage",))
    assert manage("cluster:admin/settings/update")
    assert not manage("cluster:admin/xpack/security/user/put")
    security = cluster_grants(("manage_security",))
    assert security("cluster:admin/xpack/security/user/put")
    assert not security("cluster:admin/xpack/security/delegate_pki")
    both = cluster_grants(("manage", "manage_security"))
    assert both("cluster:admin/xpack/security/user/put")


def test_every_name_is_legal() -> None:
    for name in CLUSTER_PRIVILEGES:
        check_cluster_privilege(name)
    for name in INDEX_PRIVILEGES:
        check_index_privilege(name)


def test_no_named_privilege_of_users_grants_what_nodes_ask_among_themselves() -> None:
    """X-60: nothing of `internal:` but what is passed on for indices."""
    for action in ("internal:cluster/coordination/join", "internal:rest/forward", "internal:x"):
        assert not index_privileges_granting(action)
        assert not cluster_privileges_granting(action)
        assert not is_index_action(action)
        assert not is_cluster_action(action)


@pytest.mark.parametrize(
    ("granted", "others", "expected"),
    [
        ("manage_connector", ("monitor_connector",), True),
        ("manage_connector", ("read_connector_secrets", "write_connector_secrets"), False),
        ("manage_enrich", ("monitor_enrich",), True),
        ("manage_inference", ("monitor_inference",), True),
        ("manage_security", ("manage_saml",), False),
        ("monitor", ("monitor_connector",), False),
        ("monitor_ml", ("manage_data_stream_global_retention",), True),
    ],
)
def test_which_cluster_privileges_hold_others(
    granted: str, others: tuple[str, ...], expected: bool
) -> None:
    """As 8.19.0 answers `_has_privileges`."""
    for other in others:
        assert names.within(cluster_node((other,)), cluster_node((granted,))) is expected


def test_to_manage_an_index_is_to_view_what_is_known_of_it() -> None:
    assert names.within(index_node(("view_index_metadata",)), index_node(("manage",)))
