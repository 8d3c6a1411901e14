"""Who may follow: whoever may read operations and see where shards stand, and all of the index."""

from typing import Any

import pytest

from sealane.errors import SecurityError
from sealane.model.security import FieldGrant, IndexPrivileges, Realm, RoleDescriptor, Subject
from sealane.replication.leader.rights import (
    CHANGES,
    STATS,
    check_may_follow,
    check_may_read,
    may_follow,
)
from sealane.security.rules.access import SubjectAccess, SystemAccess
from sealane.security.rules.permission import Permission

ANN = Subject(name="ann", realm=Realm(name="native1", type="native"), roles=("r",))


def access(*privileges: str, **more: Any) -> SubjectAccess:
    entry = IndexPrivileges(names=("logs*",), privileges=privileges, **more)
    side = (RoleDescriptor(name="r", indices=(entry,)),)
    return SubjectAccess(ANN, Permission((side,), role_names=("r",)), CHANGES)


@pytest.mark.parametrize(
    "privileges",
    [("read", "monitor"), ("cross_cluster_replication",), ("all",), (CHANGES, STATS)],
)
def test_these_may(privileges: tuple[str, ...]) -> None:
    assert may_follow(access(*privileges), ("logs-1",))
    check_may_follow(access(*privileges), ("logs-1",))
    check_may_read(access(*privileges), ("logs-1",))
    assert not may_follow(access(*privileges), ("other",))


def test_without_security_everybody_may_and_the_node_itself_always() -> None:
    for each in (None, SystemAccess(CHANGES)):
        assert may_follow(each, ("logs-1",))
        check_may_read(each, ("logs-1",))


@pytest.mark.parametrize(
    ("privileges", "missing"),
    [
        (("read",), [STATS]),
        (("monitor",), [CHANGES]),
        (("manage",), [CHANGES]),
        (("cross_cluster_replication_internal",), [STATS, CHANGES]),
        (("manage_leader_index",), [STATS, CHANGES]),
    ],
)
def test_what_is_missing_is_said_in_the_words_of_the_reference(
    privileges: tuple[str, ...], missing: list[str]
) -> None:
    """X-57."""
    with pytest.raises(SecurityError) as raised:
        check_may_follow(access(*privileges), ("logs-1",))
    said = "".join(f", privilege for action [{each}] is missing" for each in missing)
    assert raised.value.reason == f"insufficient privileges to follow index [logs-1]{said}"
    with pytest.raises(SecurityError) as later:
        check_may_read(access(*privileges), ("logs-1",))
    assert later.value.reason.startswith(
        f"action [{missing[0]}] is unauthorized for user [ann] with effective roles [r] on indices [logs-1]"
    )


@pytest.mark.parametrize(
    "limited",
    [{"query": '{"match_all":{}}'}, {"fields": FieldGrant(grant=("a*",))}],
)
def test_from_whom_something_is_hidden_may_not(limited: dict[str, Any]) -> None:
    """T-19."""
    rights = access("read", "monitor", **limited)
    assert not may_follow(rights, ("logs-1",))
    for check in (check_may_follow, check_may_read):
        with pytest.raises(SecurityError, match="document or field level security hides a part"):
            check(rights, ("logs-1",))


def test_a_right_on_a_data_stream_is_one_on_each_of_its_indices() -> None:
    """As in the reference; what is hidden by either is hidden."""
    backing = (".ds-logs-app-2026.11.22-000001", "logs-app")
    assert may_follow(access("read", "monitor"), backing)
    assert not may_follow(access("read", "monitor"), backing[:1])
    assert not may_follow(access("read", "monitor", query='{"match_all":{}}'), backing)
