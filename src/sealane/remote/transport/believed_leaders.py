"""What is believed of how another cluster describes its indices: descriptions that a cluster can give at all.

A follower keeps what its leader says of itself, and makes an index of it. So names, uuids and numbers must have the
size of such things, lists an end, and settings the form in which everybody's are shown: one index must not exhaust a
node, or spoil what is told of others. What the parts mean (mappings, values of settings, aliases) is judged where they
are taken.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sealane.errors import TransportSerialization
from sealane.model.replication import LeaderCluster, LeaderIndex, LeaderKind, ShardHistory
from sealane.remote.transport.believed_operations import LONG_MAX
from sealane.remote.transport.messages_replication import (
    HISTORIES,
    NAME_MAX_BYTES,
    STATE,
    HistoriesAnswer,
)

SHARDS_MAX: Final = 1024
"""As many as an index can be made with."""
ORIGINS_MAX: Final = 100
"""Clusters that follow each other in a row."""
ANCESTORS_MAX: Final = 1_000
"""Promotions of one index."""
INDICES_MAX: Final = 100_000
SETTINGS_MAX: Final = 10_000
ALIASES_MAX: Final = 10_000
MAPPING_MAX_BYTES: Final = 10 * 1024 * 1024
_OBJECTS_MAX: Final = 200_000
"""In a mapping: each field is one, and one that has others two."""
_KEY_MAX: Final = 1_000
_KEY_PARTS_MAX: Final = 50
_PREFIX: Final = "index."


def check_index(name: str, found: LeaderIndex) -> None:
    """Raises TransportSerialization for what cannot be the index (or alias, or data stream) `name`; the others too."""
    if found.name != name:
        raise _refused(STATE, f"[{_short(found.name)}] in place of [{name}]")
    is_index = found.kind is LeaderKind.INDEX
    if not int(is_index) <= found.shards <= SHARDS_MAX:
        raise _refused(STATE, f"an index of [{found.shards}] shards")
    _check_names(STATE, (found.uuid, found.cluster_uuid, found.cluster_name, *found.origins))
    if is_index and not found.uuid:
        raise _refused(STATE, "an index without a uuid")
    if found.data_stream is not None:
        _check_names(STATE, (found.data_stream,))
    _check_numbers(
        STATE, (found.mapping_version, found.settings_version, found.aliases_version), least=0
    )
    _check_count(STATE, "origins", found.origins, ORIGINS_MAX)
    _check_count(STATE, "aliases", found.aliases, ALIASES_MAX)
    if len(found.mapping) > MAPPING_MAX_BYTES:
        raise _refused(STATE, f"a mapping of [{len(found.mapping)}] bytes")
    objects = found.mapping.count(b"{")
    if objects > _OBJECTS_MAX:
        raise _refused(STATE, f"a mapping of [{objects}] objects")
    _check_settings(found.settings)


def check_histories(found: HistoriesAnswer) -> None:
    _check_names(HISTORIES, (found.uuid,))
    _check_count(HISTORIES, "shards", found.shards, SHARDS_MAX)
    for shard in found.shards:
        _check_history(shard)


def check_cluster(found: LeaderCluster) -> None:
    _check_names(STATE, (found.name, found.uuid))
    _check_numbers(STATE, (found.metadata_version,), least=0)
    _check_count(STATE, "indices", found.indices, INDICES_MAX)
    for index in found.indices:
        if not index.name or not index.uuid:
            raise _refused(STATE, "an index without a name or without a uuid")
        _check_names(STATE, (index.name, index.uuid, index.data_stream or "", *index.origins))
        _check_count(STATE, "origins", index.origins, ORIGINS_MAX)


def _check_history(shard: ShardHistory) -> None:
    if not shard.history_uuid:
        raise _refused(HISTORIES, "a shard without a history")
    _check_count(HISTORIES, "ancestors", shard.ancestors, ANCESTORS_MAX)
    _check_names(HISTORIES, (shard.history_uuid, *(each.history_uuid for each in shard.ancestors)))
    _check_numbers(HISTORIES, (each.up_to for each in shard.ancestors), least=-1)
    _check_numbers(HISTORIES, (shard.checkpoint, shard.max_seq_no), least=-1)
    _check_numbers(HISTORIES, (shard.primary_term,), least=1)


def _check_settings(settings: Mapping[str, object]) -> None:
    """Keys are paths: each has its place, and none is within the value of another."""
    _check_count(STATE, "settings", settings, SETTINGS_MAX)
    for key in settings:
        parts = key.split(".", _KEY_PARTS_MAX)
        if (
            not key.startswith(_PREFIX)
            or len(key) > _KEY_MAX
            or len(parts) > _KEY_PARTS_MAX
            or "" in parts
        ):
            raise _refused(STATE, f"a setting [{_short(key)}]")
        path = parts[0]
        for part in parts[1:-1]:
            path = f"{path}.{part}"
            if path in settings:
                raise _refused(STATE, f"the settings [{_short(path)}] and [{_short(key)}]")


def _check_names(action: str, names: Iterable[str]) -> None:
    for name in names:
        if len(name) > NAME_MAX_BYTES or len(name.encode()) > NAME_MAX_BYTES:
            raise _refused(action, f"a name of [{len(name)}] characters")


def _check_numbers(action: str, numbers: Iterable[int], *, least: int) -> None:
    for number in numbers:
        if not least <= number <= LONG_MAX:
            raise _refused(action, f"a number [{number}]")


def _check_count(
    action: str, what: str, found: Sequence[object] | Mapping[str, object], most: int
) -> None:
    if len(found) > most:
        raise _refused(action, f"[{len(found)}] {what}")


def _short(text: str) -> str:
    return text[:NAME_MAX_BYTES]


def _refused(action: str, problem: str) -> TransportSerialization:
    return TransportSerialization(f"unbelievable answer to action [{action}]: {problem}")
