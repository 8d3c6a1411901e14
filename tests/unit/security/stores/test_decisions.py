"""What may be done by roles that are there, remembered no longer than it is true."""

from collections.abc import Sequence

import pytest

from sealane.errors import SecurityError
from sealane.model.security import IndexPrivileges, Realm, RoleDescriptor, Subject
from sealane.security.stores.decisions import Decisions

SEARCH = "indices:data/read/search"
NATIVE = Realm(name="default_native", type="native")


class Roles:
    """Those that there are now."""

    def __init__(self) -> None:
        self.found = {
            "reader": reader("logs-*"),
            "agent": RoleDescriptor(name="agent", run_as=("ann",)),
        }

    def find(self, names: Sequence[str]) -> dict[str, RoleDescriptor]:
        return {name: self.found[name] for name in names if name in self.found}


def reader(names: str) -> RoleDescriptor:
    entry = IndexPrivileges(names=(names,), privileges=("read",))
    return RoleDescriptor(name="reader", indices=(entry,))


@pytest.fixture
def roles() -> Roles:
    return Roles()


@pytest.fixture
def decisions(roles: Roles) -> Decisions:
    return Decisions(roles.find)


def user(*roles: str, **more: object) -> Subject:
    return Subject(name="ann", realm=NATIVE, roles=roles, **more)  # type: ignore[arg-type]


def test_the_same_subject_has_the_same_rights_while_roles_stay(decisions: Decisions) -> None:
    ann = user("reader")
    access = decisions.access(ann, SEARCH)
    assert decisions.access(ann, SEARCH, ["logs-1"]) is access
    assert decisions.access(user("reader"), SEARCH) is not access
    assert decisions.access(ann, "indices:data/read/get").action == "indices:data/read/get"


def test_other_roles_count_with_the_next_request(decisions: Decisions, roles: Roles) -> None:
    """T-35: what was granted before is not believed."""
    ann = user("reader")
    assert decisions.access(ann, SEARCH).allows("logs-1")
    roles.found["reader"] = reader("other-*")
    decisions.roles_changed()
    assert not decisions.access(ann, SEARCH).allows("logs-1")
    del roles.found["reader"]
    decisions.roles_changed()
    with pytest.raises(SecurityError, match="is unauthorized for user"):
        decisions.access(ann, SEARCH)


def test_what_goes_on_for_another_cluster_to_judge_grants_nothing_here(
    decisions: Decisions,
) -> None:
    ann = user()
    decisions.access(ann, SEARCH, ["remote:logs-1"])
    with pytest.raises(SecurityError, match="is unauthorized for user"):
        decisions.access(ann, SEARCH, ["logs-1"])


def test_whether_one_may_act_as_another_is_asked_each_time(
    decisions: Decisions, roles: Roles
) -> None:
    ann = user("reader", authenticated_by=user("agent"))
    assert decisions.access(ann, SEARCH).allows("logs-1")
    del roles.found["agent"]
    decisions.roles_changed()
    with pytest.raises(SecurityError, match="is unauthorized to run as"):
        decisions.access(ann, SEARCH)
