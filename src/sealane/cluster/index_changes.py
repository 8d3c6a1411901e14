"""A new index, and changes of an index's settings, decided on plain data. Pure: nothing is stored
here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from sealane.cluster.aliases import FilterCheck, aliases_of_body
from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.cluster.names import check_index_name
from sealane.engine.mapping import Mapping as FieldMapping
from sealane.engine.mapping import (
    MappingLimits,
    check_references,
    merge_mapping,
    parse_mapping,
    render_mapping,
)
from sealane.errors import IllegalArgument, InvalidIndexName, ParseError, ResourceAlreadyExists
from sealane.model.patterns import matches
from sealane.settings import Settings, Value, flatten
from sealane.settings import index_settings as known

VERSION_CREATED: Final = "8536000"
"""What 8.19 writes; tools read the version that made the index from it."""

_BODY_KEYS: Final = ("settings", "mappings", "aliases")


def new_index(
    meta: ClusterMetadata,
    name: str,
    body: Mapping[str, Any],
    *,
    provided_name: str,
    uuid: str,
    now_ms: int,
    check_filter: FilterCheck,
) -> IndexMetadata:
    """The index that `body` describes.

    Raises ParseError, InvalidIndexName, ResourceAlreadyExists, IllegalArgument and what mappings
    and aliases raise.
    """
    _check_body(body)
    check_new_name(meta, name)
    given = known.normalized(flatten(body.get("settings") or {}))
    settings = Settings({key: value for key, value in given.items() if value is not None})
    known.validate_new(settings)
    settings = Settings(
        {
            known.TIER_PREFERENCE.key: "data_content",
            known.NUMBER_OF_SHARDS.key: "1",
            known.NUMBER_OF_REPLICAS.key: "1",
        }
    ).merged(settings)
    settings = settings.merged(
        {
            known.UUID.key: uuid,
            known.CREATION_DATE.key: str(now_ms),
            known.PROVIDED_NAME.key: provided_name,
            known.VERSION_CREATED.key: VERSION_CREATED,
        }
    )
    mappings = body.get("mappings") or {}
    if "_doc" in mappings:
        raise IllegalArgument(
            "The mapping definition cannot be nested under a type [_doc] unless "
            "include_type_name is set to true."
        )
    mapping = parse_mapping(mappings, MappingLimits.from_settings(settings))
    check_references(mapping)
    return IndexMetadata(
        name=name,
        uuid=uuid,
        shards=known.NUMBER_OF_SHARDS.get(settings),
        creation_date=now_ms,
        settings=settings,
        mapping_json=mapping_json(mapping),
        mapping=mapping,
        aliases=aliases_of_body(
            body.get("aliases") or {}, name, meta.not_for_aliases(), check_filter
        ),
    )


def mapping_json(mapping: FieldMapping) -> bytes:
    return msgspec.json.encode(render_mapping(mapping))


def with_mapping(
    index: IndexMetadata, update: FieldMapping, limits: MappingLimits | None = None
) -> IndexMetadata:
    """`index` with `update` in its mapping, within its own limits unless others are given; `index` itself where that
    says nothing new. Raises IllegalArgument.
    """
    within = MappingLimits.from_settings(index.settings) if limits is None else limits
    merged = merge_mapping(index.mapping, update, within)
    if merged is index.mapping:
        return index
    return index.changed(
        mapping=merged,
        mapping_json=mapping_json(merged),
        mapping_version=index.mapping_version + 1,
    )


def check_new_name(meta: ClusterMetadata, name: str) -> None:
    """Raises InvalidIndexName, ResourceAlreadyExists."""
    check_index_name(name)
    existing = meta.index(name)
    if existing is not None:
        raise ResourceAlreadyExists(name, existing.uuid)
    if meta.alias(name) is not None:
        raise InvalidIndexName(name, "already exists as alias")
    if meta.stream(name) is not None:
        raise InvalidIndexName(name, "already exists as data stream")


def with_settings(
    indices: Sequence[IndexMetadata],
    changes: Mapping[str, Value | None],
    *,
    preserve_existing: bool = False,
) -> list[IndexMetadata]:
    """Those of `indices` that `changes` change, changed. Keys are with `index.` before them,
    judged already.

    Raises IllegalArgument for what cannot change while an index is open, or ever.
    """
    static = sorted(
        key for key in changes if (setting := known.setting_of(key)) and not setting.dynamic
    )
    opened = [index for index in indices if index.open]
    if static and opened:
        listed = ", ".join(f"[{index.name}/{index.uuid}]" for index in opened)
        raise IllegalArgument(
            f"Can't update non dynamic settings [[{', '.join(static)}]] for open indices "
            f"[{listed}] unless the `reopen` query parameter is set to true. Alternatively, close "
            "the indices, apply the settings changes, and reopen the indices"
        )
    changed: list[IndexMetadata] = []
    for index in indices:
        settings = _changed(index, changes, preserve_existing)
        if settings != index.settings:
            changed.append(
                index.changed(settings=settings, settings_version=index.settings_version + 1)
            )
    return changed


def _changed(
    index: IndexMetadata, changes: Mapping[str, Value | None], preserve_existing: bool
) -> Settings:
    kept: dict[str, Value] = dict(index.settings)
    for key, value in changes.items():
        setting = known.setting_of(key)
        if setting is not None and setting.final:
            raise IllegalArgument(f"final {index.name} setting [{key}], not updateable")
        if value is not None:
            if not (preserve_existing and key in index.settings):
                kept[key] = value
            continue
        for each in [each for each in kept if matches(key, each)]:
            present = known.setting_of(each)
            if present is not None and (present.dynamic or (each == key and not present.private)):
                del kept[each]
    kept.setdefault(known.NUMBER_OF_REPLICAS.key, "1")
    return Settings(kept)


def _check_body(body: Mapping[str, Any]) -> None:
    for key, value in body.items():
        if key not in _BODY_KEYS:
            raise ParseError(f"unknown key [{key}] for create index")
        if value is not None and not isinstance(value, Mapping):
            raise ParseError(f"key [{key}] must be an object")
