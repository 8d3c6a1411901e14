"""A follower's metadata, made of its leader's and brought to it. Pure: nothing is stored or opened here.

What a leader says comes from another cluster, so whatever cannot be read of it is an error that is told, and the
follower stays as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from sealane.cluster.aliases import FilterCheck, aliases_of_body, check_consistent
from sealane.cluster.following_settings import (
    Changes,
    as_text,
    changes_to_take,
    check_overrides,
    first_settings,
    need_reopening,
    static_ones,
)
from sealane.cluster.index_changes import (
    VERSION_CREATED,
    check_new_name,
    mapping_json,
    with_mapping,
)
from sealane.cluster.metadata import Alias, ClusterMetadata, IndexMetadata
from sealane.engine.mapping import Mapping as FieldMapping
from sealane.engine.mapping import MappingLimits, parse_mapping
from sealane.errors import IllegalArgument, SnapshotRestore, TaskAlreadyExists
from sealane.model.replication import Following, FollowState, LeaderIndex
from sealane.settings import Settings
from sealane.settings import index_settings as known

_LIMITS: Final = MappingLimits(
    total_fields=100_000, depth=200, nested_fields=100_000, ignore_dynamic_beyond=False
)
"""Those of the leader are its own to keep: it has its mapping already. Beyond these a node would suffer."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A follower after it took what its leader has. `reopen` says that an open one must be closed for that."""

    index: IndexMetadata
    reopen: bool


def replaced_by(
    meta: ClusterMetadata, name: str, remote_cluster: str, leader: LeaderIndex
) -> IndexMetadata | None:
    """The index that gives way to a new follower of that name; None where the name is free.

    Raises SnapshotRestore, TaskAlreadyExists, InvalidIndexName.
    """
    existing = meta.index(name)
    if existing is None:
        check_new_name(meta, name)
        return None
    copy = f"_ccr_{remote_cluster}:_latest_/_latest_"
    if existing.open:
        raise SnapshotRestore(
            f"[{copy}] cannot restore index [{name}] because an open index with same name already exists in the "
            "cluster. Either close or delete the existing index or restore the index under a different name by "
            "providing a rename pattern and replacement name"
        )
    if existing.following is not None and existing.following.state is FollowState.ACTIVE:
        raise TaskAlreadyExists(f"{existing.uuid}-0")
    if existing.shards != leader.shards:
        raise SnapshotRestore(
            f"[{copy}] cannot restore index [{name}] with [{existing.shards}] shards from a snapshot of index "
            f"[{leader.name}] with [{leader.shards}] shards"
        )
    return existing


def new_follower(
    meta: ClusterMetadata,
    name: str,
    leader: LeaderIndex,
    overrides: Changes,
    following: Following,
    *,
    uuid: str,
    now_ms: int,
    check_filter: FilterCheck,
) -> IndexMetadata:
    """An empty follower, which has what its leader has but for the documents. Whether it may have the name is
    `replaced_by`'s.

    Raises IllegalArgument, MapperParsing, InvalidAliasName, IllegalState.
    """
    check_overrides(overrides)
    settings = first_settings(leader.settings, overrides).merged(
        {
            known.NUMBER_OF_SHARDS.key: str(leader.shards),
            known.UUID.key: uuid,
            known.CREATION_DATE.key: str(now_ms),
            known.PROVIDED_NAME.key: name,
            known.VERSION_CREATED.key: VERSION_CREATED,
            known.FOLLOWING_INDEX.key: "true",
        }
    )
    mapping = _mapping_of(leader)
    index = IndexMetadata(
        name=name,
        uuid=uuid,
        shards=leader.shards,
        creation_date=now_ms,
        settings=settings,
        mapping_json=mapping_json(mapping),
        mapping=mapping,
        aliases=_aliases_of(leader, name, meta, check_filter),
        following=_caught_up(_to_copy(following, leader.shards), leader),
    )
    _check_aliases(meta, index)
    return index


def brought_to(
    meta: ClusterMetadata, index: IndexMetadata, leader: LeaderIndex, check_filter: FilterCheck
) -> Taken:
    """The follower with its leader's mapping, replicated settings and aliases. What an older answer of the leader says
    is left out, each of the three by its own version.

    Raises IllegalArgument also where it is another index than the one that is followed.
    """
    following = following_of(index)
    if leader.uuid != following.leader_uuid:
        raise IllegalArgument(
            f"follow index [{index.name}] should reference [{leader.uuid}] as leader index but instead reference "
            f"[{following.leader_uuid}] as leader index"
        )
    changed, reopen = index, False
    if leader.mapping_version >= following.mapping_version:
        has_nothing = following.mapping_version == 0 and set(following.copy_to) == {None}
        changed = _mapped_anew(changed, leader) if has_nothing else _with_mapping(changed, leader)
    if leader.settings_version >= following.settings_version:
        changes = changes_to_take(changed.settings, leader.settings)
        reopen = need_reopening(changes)
        changed = _with_settings(changed, changes)
    if leader.aliases_version >= following.aliases_version:
        aliases = _aliases_of(leader, index.name, meta, check_filter)
        if aliases != changed.aliases:
            changed = changed.changed(aliases=aliases, aliases_version=changed.aliases_version + 1)
            _check_aliases(meta, changed)
    caught_up = _caught_up(following, leader)
    if caught_up != following:
        changed = changed.changed(following=caught_up)
    return Taken(changed, reopen)


def with_following(index: IndexMetadata, change: Callable[[Following], Following]) -> IndexMetadata:
    """Raises IllegalArgument where it is no follower."""
    before = following_of(index)
    after = change(before)
    return index if after == before else index.changed(following=after)


def unfollowed(index: IndexMetadata) -> IndexMetadata:
    """An ordinary index with all that the follower had. Raises IllegalArgument where it is no follower."""
    following_of(index)
    settings = index.settings.filtered(lambda key: key != known.FOLLOWING_INDEX.key)
    return index.changed(
        following=None, settings=settings, settings_version=index.settings_version + 1
    )


def begun(
    index: IndexMetadata, leader: LeaderIndex, overrides: Changes, following: Following
) -> IndexMetadata:
    """An ordinary index as a follower, with the documents that it has. Its mapping, settings and aliases are brought to
    the leader's by `brought_to` next.

    Raises IllegalArgument where it is a follower already, is closed, or could never be like the leader.
    """
    check_overrides(overrides)
    if index.following is not None:
        raise IllegalArgument(f"index [{index.name}] is a follower index already")
    if not (index.open and leader.open):
        raise IllegalArgument("leader and follow index must be open")
    if index.shards != leader.shards:
        raise IllegalArgument(
            f"leader index primary shards [{leader.shards}] does not match with the number of shards of the follow "
            f"index [{index.shards}]"
        )
    own, wanted = static_ones(index.settings), static_ones(leader.settings)
    if own != wanted:
        raise IllegalArgument(
            f"the leader index settings [{as_text(wanted)}] and follower index settings [{as_text(own)}] must be "
            "identical"
        )
    _with_mapping(index, leader)
    settings: Settings = index.settings.merged(
        {key: value for key, value in known.normalized(overrides).items() if value is not None}
    ).merged({known.FOLLOWING_INDEX.key: "true"})
    return index.changed(
        following=following, settings=settings, settings_version=index.settings_version + 1
    )


def following_of(index: IndexMetadata) -> Following:
    """Raises IllegalArgument where it is no follower."""
    if index.following is None:
        raise IllegalArgument(f"index [{index.name}] is not a follower index")
    return index.following


def _to_copy(following: Following, shards: int) -> Following:
    return msgspec.structs.replace(following, copy_to=following.copy_to or (None,) * shards)


def _caught_up(following: Following, leader: LeaderIndex) -> Following:
    """With the leader's versions, none of them lower than before."""
    return msgspec.structs.replace(
        following,
        mapping_version=max(following.mapping_version, leader.mapping_version),
        settings_version=max(following.settings_version, leader.settings_version),
        aliases_version=max(following.aliases_version, leader.aliases_version),
    )


def _with_mapping(index: IndexMetadata, leader: LeaderIndex) -> IndexMetadata:
    if leader.mapping == index.mapping_json:
        return index
    return with_mapping(index, _mapping_of(leader), _LIMITS)


def _mapped_anew(index: IndexMetadata, leader: LeaderIndex) -> IndexMetadata:
    """Nothing has been copied yet: what a leader had that was then restored from an older copy is not kept."""
    mapping = _mapping_of(leader)
    raw = mapping_json(mapping)
    if raw == index.mapping_json:
        return index
    return index.changed(
        mapping=mapping, mapping_json=raw, mapping_version=index.mapping_version + 1
    )


def _with_settings(index: IndexMetadata, changes: Changes) -> IndexMetadata:
    if not changes:
        return index
    kept = index.settings.filtered(lambda key: key not in changes)
    settings = kept.merged({key: value for key, value in changes.items() if value is not None})
    return index.changed(settings=settings, settings_version=index.settings_version + 1)


def _mapping_of(leader: LeaderIndex) -> FieldMapping:
    found = _decoded(leader.mapping, leader, "mapping")
    if not isinstance(found, dict):
        raise IllegalArgument(f"the mapping of leader index [{leader.name}] is no object")
    try:
        return parse_mapping(found, _LIMITS)
    except RecursionError as error:
        raise IllegalArgument(
            f"the mapping of leader index [{leader.name}] is too deep: {error}"
        ) from error


def _aliases_of(
    leader: LeaderIndex, name: str, meta: ClusterMetadata, check_filter: FilterCheck
) -> dict[str, Alias]:
    """The leader's aliases as a follower has them: nobody writes through them here."""
    body = {
        alias: {
            "filter": None if each.filter is None else _decoded(each.filter, leader, "alias"),
            "index_routing": each.index_routing,
            "search_routing": each.search_routing,
            "is_write_index": False,
            "is_hidden": each.is_hidden,
        }
        for alias, each in leader.aliases.items()
    }
    return aliases_of_body(body, name, meta.not_for_aliases(), check_filter)


def _check_aliases(meta: ClusterMetadata, index: IndexMetadata) -> None:
    others = [each for each in meta if each.name != index.name]
    check_consistent(ClusterMetadata([*others, index], meta.version), [index])


def _decoded(text: str | bytes, leader: LeaderIndex, what: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise IllegalArgument(
            f"the {what} of leader index [{leader.name}] cannot be read: {error}"
        ) from error
