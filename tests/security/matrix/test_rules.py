"""Who may do what and where: the product's rules against a second model of them, cell by cell."""

import pytest

from sealane.model.security import IndexPrivileges, RoleDescriptor, Side
from sealane.security.rules.cross_cluster import effective_sides
from sealane.security.rules.descriptors import parse_role
from sealane.security.rules.key_access import KeyAccess, access_descriptor
from sealane.security.rules.permission import Permission, permission_of
from tests.security.matrix.model import (
    CLUSTER_ACTIONS,
    CROSSING,
    INDEX_ACTIONS,
    KEYS,
    ROLES,
    USERS,
    Cell,
    RoleModel,
    cells,
)

CELLS = list(cells())
REMOTE_KEY: Side = (
    access_descriptor(KeyAccess(search=(IndexPrivileges(names=CROSSING, privileges=("x",)),))),
)


def described(name: str, role: RoleModel) -> RoleDescriptor:
    return parse_role(name, role.body())


def permission(who: str) -> Permission:
    known = {name: described(name, role) for name, role in ROLES.items()}
    if who in USERS:
        return permission_of(known, USERS[who])
    key = KEYS[who]
    owner = permission_of(known, USERS[key.owner]).sides
    return Permission(owner if key.role is None else ((described(who, key.role),), *owner))


PERMISSIONS = {who: permission(who) for who in (*USERS, *KEYS)}


def verdict(cell: Cell) -> bool:
    own = PERMISSIONS[cell.who]
    if not cell.index:
        return own.cluster(CLUSTER_ACTIONS[cell.what])
    action = INDEX_ACTIONS[cell.what]
    if not cell.cluster:
        return own.index(action, cell.index)
    toward = own.toward(cell.cluster)
    return bool(toward) and Permission(effective_sides(REMOTE_KEY, toward)).index(
        action, cell.index
    )


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_verdict_of_each_cell(cell: Cell) -> None:
    """X-32, X-33, X-34, X-36, X-39, X-41."""
    assert verdict(cell) is cell.allowed


def test_the_matrix_is_worth_its_name() -> None:
    """About two hundred cells, with enough of either verdict for each subject, here and there."""
    assert len(CELLS) >= 200
    assert len(set(CELLS)) == len(CELLS)
    for who in PERMISSIONS:
        own = [cell for cell in CELLS if cell.who == who]
        assert {cell.allowed for cell in own if not cell.cluster} == {True, False}
    there = [cell for cell in CELLS if cell.cluster]
    assert sum(cell.allowed for cell in there) >= 5
    assert sum(not cell.allowed for cell in there) >= 15
