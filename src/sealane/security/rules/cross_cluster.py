"""What other clusters may ask for, and which of their claims about who asks are believed.

Deny by default: an action that is not in the list is refused whatever a key grants. A key bounds what its holder can
reach, so a claim is only ever used to narrow that further.
"""

from typing import Final

from sealane.errors import IllegalArgument, SecurityError
from sealane.model.security import (
    SYSTEM,
    AuthenticationType,
    IndexPrivileges,
    RoleDescriptor,
    Side,
    Subject,
)
from sealane.security.rules.access import denied_toward
from sealane.security.rules.key_access import access_of_descriptor, check_access
from sealane.security.rules.permission import Permission
from sealane.security.rules.subject_codec import (
    decode_subject_info,
    encode_subject_info,
)

HANDSHAKE: Final = "cluster:internal/remote_cluster/handshake"
NODES: Final = "cluster:internal/remote_cluster/nodes"
RELAYED: Final = "internal:transport/proxy/"

ALLOWED: Final = frozenset(
    {
        # Who is there: granted by cross_cluster_search and cross_cluster_replication.
        HANDSHAKE,
        NODES,
        "cluster:monitor/stats/remote",
        "cluster:monitor/tasks/lists/children",
        # Searching: granted by read.
        "indices:data/read/search",
        "indices:data/read/search[can_match]",
        "indices:data/read/search[phase/query]",
        "indices:data/read/search[phase/fetch/id]",
        "indices:data/read/search[phase/query+scroll]",
        "indices:data/read/search[free_context]",
        "indices:data/read/open_point_in_time",
        "indices:data/read/field_caps",
        "indices:data/read/xpack/termsenum/list",
        # Finding: granted by read_cross_cluster, view_index_metadata.
        "indices:admin/search/search_shards",
        "indices:admin/resolve/index",
        "indices:admin/resolve/cluster",
        # Following: granted by cross_cluster_replication, and of indices only where they are granted by name.
        "cluster:monitor/state",
        "indices:monitor/stats",
        "indices:data/read/xpack/ccr/shard_changes",
        "indices:admin/seq_no/add_retention_lease",
        "indices:admin/seq_no/remove_retention_lease",
        "indices:admin/seq_no/renew_retention_lease",
        "indices:internal/admin/ccr/restore/session/put",
        "indices:internal/admin/ccr/restore/file_chunk/get",
        "indices:internal/admin/ccr/restore/file_chunk/get[documents]",
    }
)
"""The actions that nodes of other clusters may ask for. What grants each is told by `privileges`."""

CHANNEL: Final = frozenset({"internal:sealane/cancel"})
"""What a connection says of its own requests: no subject is asked."""

SYSTEM_SIDE: Final[Side] = (
    RoleDescriptor(
        name=SYSTEM.name,
        cluster=("cross_cluster_search", "cross_cluster_replication"),
        indices=(
            IndexPrivileges(
                names=("*",),
                privileges=("cross_cluster_replication", "cross_cluster_replication_internal"),
                allow_restricted_indices=True,
            ),
        ),
    ),
)
"""What another cluster asks for itself, whatever it says of its rights."""
_NOTHING: Final[Side] = ()


def is_allowed(action: str) -> bool:
    """Whether other clusters may ask for an action, or have a node pass it on to another."""
    return action.removeprefix(RELAYED) in ALLOWED or action in CHANNEL


def claimed_subject(text: str) -> Subject:
    """Whom the holder of a key says it asks for; its `sides` are what that user may do by its own roles, at least one.

    Raises IllegalArgument for a malformed header, SecurityError for a claim that nobody may make.
    """
    info = decode_subject_info(text)
    return validate_subject(info.subject, info.sides)


def validate_subject(subject: Subject, sides: tuple[Side, ...]) -> Subject:
    """The claimed subject with the sides that count. Raises SecurityError."""
    for each in (subject, subject.authenticated_by):
        if each is not None and each.type is AuthenticationType.CROSS_CLUSTER_ACCESS:
            raise SecurityError("nested cross cluster access is not supported")
    by = subject.authenticated_by
    if by is not None and by.type is AuthenticationType.INTERNAL:
        raise _unexpected(by)
    if subject.type is AuthenticationType.INTERNAL:
        if subject.name != SYSTEM.name or subject.realm != SYSTEM.realm or by is not None:
            raise _unexpected(subject)
        return _with_sides(subject, (SYSTEM_SIDE,))
    return _with_sides(subject, sides or (_NOTHING,))


def _unexpected(subject: Subject) -> SecurityError:
    return SecurityError(
        f"received cross cluster request from an unexpected internal user [{subject.name}]"
    )


def _with_sides(subject: Subject, sides: tuple[Side, ...]) -> Subject:
    return Subject(
        name=subject.name,
        realm=subject.realm,
        type=subject.type,
        roles=subject.roles,
        sides=sides,
        api_key=subject.api_key,
        authenticated_by=subject.authenticated_by,
    )


def check_key_descriptor(key_id: str, descriptor: RoleDescriptor) -> None:
    """Keys of old that limit what is searched although they copy are refused when they are used.

    Raises SecurityError.
    """
    try:
        check_access(access_of_descriptor(descriptor))
    except IllegalArgument as error:
        raise SecurityError(
            f"Cross cluster API key [{key_id}] is invalid: {error.reason}", caused_by=error
        ) from None


def effective_sides(key_side: Side, user_sides: tuple[Side, ...]) -> tuple[Side, ...]:
    """What a key and the user it is used for must each grant. A user without sides is granted nothing."""
    return (key_side, *(user_sides or (_NOTHING,)))


class SubjectHeaders:
    """How this node tells another cluster, which it asks with a key, on whose behalf it asks."""

    def system(self) -> str:
        """The node itself."""
        return encode_subject_info(SYSTEM, ())

    def user(self, subject: Subject, permission: Permission, alias: str, action: str) -> str:
        """Raises SecurityError for a subject without any right on the cluster of that alias."""
        if subject.type is AuthenticationType.CROSS_CLUSTER_ACCESS:
            raise SecurityError("nested cross cluster access is not supported")
        sides = permission.toward(alias)
        if not sides:
            raise denied_toward(subject, alias, action, permission.role_names)
        return encode_subject_info(subject, sides)
