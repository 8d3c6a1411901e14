"""What roles grant on remote clusters: the part of them that goes with a request to one."""

from functools import lru_cache
from typing import Final

from sealane.model.security import (
    RemoteClusterPrivileges,
    RemoteIndexPrivileges,
    RoleDescriptor,
    Side,
)
from sealane.security.rules import names

TOWARD: Final = "_remote"
"""The name of the one descriptor in which a side's grants for a cluster come together."""


@lru_cache(maxsize=1_024)
def _toward(
    indices: tuple[RemoteIndexPrivileges, ...],
    cluster: tuple[RemoteClusterPrivileges, ...],
    alias: str,
) -> RoleDescriptor | None:
    entries = tuple(each.entry for each in indices if names.matcher(each.clusters)(alias))
    privileges = dict.fromkeys(
        privilege
        for each in cluster
        if names.matcher(each.clusters)(alias)
        for privilege in each.privileges
    )
    if not entries and not privileges:
        return None
    return RoleDescriptor(name=TOWARD, cluster=tuple(privileges), indices=entries)


def toward_of(side: Side, alias: str) -> RoleDescriptor | None:
    """The grants of a side on the cluster of that alias, as one descriptor; None where there are none."""
    indices = tuple(entry for role in side for entry in role.remote_indices)
    cluster = tuple(entry for role in side for entry in role.remote_cluster)
    return _toward(indices, cluster, alias)
