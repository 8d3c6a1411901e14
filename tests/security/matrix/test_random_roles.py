"""The rules against the second model of them, for roles that nobody thought of."""

from hypothesis import given
from hypothesis import strategies as st

from sealane.security.rules.descriptors import parse_role
from sealane.security.rules.has_privileges import answer, parse_questions
from sealane.security.rules.permission import Permission
from tests.security.matrix.model import (
    CLUSTER_ACTIONS,
    INDEX_ACTIONS,
    INDICES,
    MEANING,
    REMOTES,
    Grant,
    RoleModel,
    allows,
    grants,
)

NAMES = st.lists(
    st.sampled_from(["*", "logs-*", "logs-1", "*-1", ".security-7", ".s*", "docs-1", "l*s-*"]),
    min_size=1,
    max_size=2,
).map(tuple)
PRIVILEGES = st.lists(
    st.sampled_from(["read", "write", "view_index_metadata", "all"]),
    min_size=1,
    max_size=2,
    unique=True,
).map(tuple)
GRANTS = st.builds(
    Grant,
    NAMES,
    PRIVILEGES,
    st.booleans(),
    st.sampled_from([(), (), ("*",), ("k*",), ("other",)]),
)
ROLES = st.builds(
    RoleModel,
    st.lists(st.sampled_from(["monitor", "manage_security"]), max_size=1).map(tuple),
    st.lists(GRANTS, max_size=3).map(tuple),
)
SIDES = st.lists(st.lists(ROLES, max_size=2), min_size=1, max_size=2)


def permission(sides: list[list[RoleModel]]) -> Permission:
    return Permission(tuple(parse_role("r", role.body()) for role in side) for side in sides)


@given(SIDES)
def test_here_every_verdict_is_the_model_s(sides: list[list[RoleModel]]) -> None:
    own = permission(sides)
    for what, action in CLUSTER_ACTIONS.items():
        wanted = all(any(grants(role, what, "", "") for role in side) for side in sides)
        assert own.cluster(action) is wanted
    for what, action in INDEX_ACTIONS.items():
        for index in INDICES:
            wanted = all(any(grants(role, what, index, "") for role in side) for side in sides)
            assert own.index(action, index) is wanted, (what, index)
        reached = [index for index in INDICES if own.index(action, index)]
        assert own.index_action(action) or not reached


@given(SIDES)
def test_elsewhere_every_verdict_is_the_model_s(sides: list[list[RoleModel]]) -> None:
    own = permission(sides)
    for cluster in REMOTES:
        there = Permission(own.toward(cluster))
        for what, action in INDEX_ACTIONS.items():
            for index in INDICES:
                wanted = all(
                    any(
                        allows(grant, what, index, cluster)
                        for role in side
                        for grant in role.grants
                    )
                    for side in sides
                )
                assert there.index(action, index) is wanted, (cluster, what, index)


@given(SIDES, st.sampled_from(INDICES), st.sampled_from(["read", "write", "all"]))
def test_what_is_said_to_be_had_is_granted(
    sides: list[list[RoleModel]], index: str, privilege: str
) -> None:
    """X-88: `_has_privileges` never promises more than is granted."""
    own = permission(sides)
    asked = parse_questions(
        "u",
        {
            "index": [
                {"names": [index], "privileges": [privilege], "allow_restricted_indices": True}
            ]
        },
    )
    if answer("u", own, asked)["has_all_requested"]:
        assert all(own.index(INDEX_ACTIONS[what], index) for what in MEANING[privilege])
