"""Subjects and roles for the tests of the rules."""

from collections.abc import Sequence
from typing import Any

from sealane.model.security import (
    ApiKeyIdentity,
    AuthenticationType,
    FieldGrant,
    IndexPrivileges,
    Realm,
    RemoteClusterPrivileges,
    RemoteIndexPrivileges,
    RoleDescriptor,
    Subject,
)

NATIVE = Realm(name="default_native", type="native")


def user(name: str = "u", roles: Sequence[str] = ("r",), **more: Any) -> Subject:
    return Subject(name=name, realm=NATIVE, roles=tuple(roles), **more)


def identity(id: str = "k1", creator: str = "elastic") -> ApiKeyIdentity:
    return ApiKeyIdentity(id=id, name="key", creator=creator, creator_realm=NATIVE)


def api_key(creator: str = "u", **more: Any) -> Subject:
    return Subject(
        name=creator,
        realm=Realm(name="_es_api_key", type="_es_api_key"),
        type=AuthenticationType.API_KEY,
        api_key=identity("k2", creator),
        **more,
    )


def entry(
    names: Sequence[str] | str,
    privileges: Sequence[str] | str,
    *,
    query: str | None = None,
    grant: Sequence[str] | None = None,
    excepted: Sequence[str] = (),
    restricted: bool = False,
) -> IndexPrivileges:
    return IndexPrivileges(
        names=(names,) if isinstance(names, str) else tuple(names),
        privileges=(privileges,) if isinstance(privileges, str) else tuple(privileges),
        query=query,
        fields=None if grant is None else FieldGrant(grant=tuple(grant), excepted=tuple(excepted)),
        allow_restricted_indices=restricted,
    )


def role(
    *entries: IndexPrivileges,
    name: str = "r",
    cluster: Sequence[str] = (),
    run_as: Sequence[str] = (),
    remote: Sequence[tuple[str, IndexPrivileges]] = (),
    remote_cluster: Sequence[tuple[str, str]] = (),
) -> RoleDescriptor:
    return RoleDescriptor(
        name=name,
        cluster=tuple(cluster),
        indices=entries,
        run_as=tuple(run_as),
        remote_indices=tuple(
            RemoteIndexPrivileges(clusters=(alias,), entry=each) for alias, each in remote
        ),
        remote_cluster=tuple(
            RemoteClusterPrivileges(clusters=(alias,), privileges=(each,))
            for alias, each in remote_cluster
        ),
    )
