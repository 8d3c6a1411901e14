"""The `access` of a cross-cluster API key, and the one descriptor that it stands for.

A key grants exactly its access, whoever made it: to search, to follow, or both, which then has no limits on documents
or fields, as what is copied has none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sealane.errors import ApiError, IllegalArgument, XContentParseError
from sealane.model.security import IndexPrivileges, RoleDescriptor
from sealane.security.rules.descriptor_reader import MAX_ENTRIES, RoleReader, token
from sealane.security.rules.descriptors import entry_json

ROLE: Final = "cross_cluster"
SEARCH_CLUSTER: Final = ("cross_cluster_search", "monitor_enrich")
SEARCH_INDICES: Final = ("read", "read_cross_cluster", "view_index_metadata")
REPLICATION_CLUSTER: Final = ("cross_cluster_replication",)
REPLICATION_INDICES: Final = ("cross_cluster_replication", "cross_cluster_replication_internal")
_KINDS: Final = {"search": SEARCH_INDICES, "replication": REPLICATION_INDICES}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAccess:
    """What a cross-cluster key allows. The entries have their privileges already."""

    search: tuple[IndexPrivileges, ...] = ()
    replication: tuple[IndexPrivileges, ...] = ()


def parse_access(
    value: Any, kind: str = "cross_cluster_api_key_request", *, place: object = "1:1"
) -> KeyAccess:
    """The member `access` of a request that makes or changes a key; `kind` is that request's name in errors, `place`
    where the value is.

    Raises XContentParseError for a malformed one, and for one that must not be: see `check_access`.
    """
    reader = RoleReader(ROLE)
    if not isinstance(value, Mapping):
        raise XContentParseError(
            f"[{place}] [{kind}] access doesn't support values of type: {token(value)}"
        )
    found: dict[str, tuple[IndexPrivileges, ...]] = {}
    try:
        for key in value:
            found[key] = _entries(reader, value, key, kind)
    except XContentParseError as error:
        raise XContentParseError(
            f"[{reader.place}] [{kind}] failed to parse field [access]", caused_by=error
        ) from None
    access = KeyAccess(**found)
    try:
        check_access(access)
    except IllegalArgument as error:
        raise XContentParseError(
            f"Failed to build [{kind}] after last required field arrived", caused_by=error
        ) from None
    return access


def _entries(reader: RoleReader, access: Any, key: str, kind: str) -> tuple[IndexPrivileges, ...]:
    text = f"[{kind}_access]"
    if key not in _KINDS:
        place = getattr(access, "keys_at", {}).get(key, "1:1")
        reader.value(access, key)
        raise XContentParseError(f"[{place}] {text} unknown field [{key}]")
    value = reader.value(access, key)
    if not isinstance(value, Mapping | list):
        raise XContentParseError(
            f"[{reader.place}] {text} {key} doesn't support values of type: {token(value)}"
        )
    found: list[IndexPrivileges] = []
    try:
        if isinstance(value, Mapping):
            return (reader.entry(value, privileges=_KINDS[key])[0],)
        if len(value) > MAX_ENTRIES:
            raise IllegalArgument(f"[{key}] may have at most [{MAX_ENTRIES}] elements")
        for at in range(len(value)):
            each = reader.value(value, at)
            found.append(reader.entry(each, privileges=_KINDS[key])[0])
        return tuple(found)
    except ApiError as error:
        raise XContentParseError(
            f"[{reader.place}] {text} failed to parse field [{key}]", caused_by=error
        ) from None


def check_access(access: KeyAccess) -> None:
    """Raises IllegalArgument for access to nothing, and for limits where data are copied."""
    if not access.search and not access.replication:
        raise IllegalArgument("must specify non-empty access for either [search] or [replication]")
    if any(_limited(entry) for entry in access.replication):
        raise IllegalArgument("replication does not support document or field level security")
    if access.replication and any(_limited(entry) for entry in access.search):
        raise IllegalArgument(
            "search does not support document or field level security if replication is assigned"
        )


def _limited(entry: IndexPrivileges) -> bool:
    return entry.query is not None or entry.fields is not None


def access_descriptor(access: KeyAccess) -> RoleDescriptor:
    """The one descriptor of a key: entries to search first."""
    cluster: tuple[str, ...] = ()
    if access.search:
        cluster += SEARCH_CLUSTER
    if access.replication:
        cluster += REPLICATION_CLUSTER
    search = tuple(replace(each, privileges=SEARCH_INDICES) for each in access.search)
    copied = tuple(replace(each, privileges=REPLICATION_INDICES) for each in access.replication)
    return RoleDescriptor(name=ROLE, cluster=cluster, indices=search + copied)


def access_of_descriptor(role: RoleDescriptor) -> KeyAccess:
    """The access that a descriptor was made of. Raises IllegalArgument for one that was made of none."""
    found: dict[tuple[str, ...], list[IndexPrivileges]] = {each: [] for each in _KINDS.values()}
    for entry in role.indices:
        if entry.privileges not in found:
            raise IllegalArgument(f"role [{role.name}] is none of a cross-cluster API key")
        found[entry.privileges].append(entry)
    return KeyAccess(
        search=tuple(found[SEARCH_INDICES]), replication=tuple(found[REPLICATION_INDICES])
    )


def access_json(access: KeyAccess) -> dict[str, Any]:
    """As GET shows it, so that PUT takes it."""
    shown = {}
    for name, entries in (("search", access.search), ("replication", access.replication)):
        if entries:
            shown[name] = [entry_json(each, privileges=False) for each in entries]
    return shown
