"""The settings of an index: what a user may set, what is ours to write, and how both are judged."""

from collections.abc import Mapping
from typing import Any, Final

from sealane.errors import ApiError, IllegalArgument
from sealane.settings.parse import Parse, as_bool, as_bytes, as_int, as_text, as_time
from sealane.settings.registry import AnySetting, Registry, raise_first
from sealane.settings.setting import Scope, Setting
from sealane.settings.slow_log_settings import INDEX_SLOW_LOG_SETTINGS
from sealane.settings.text import Value, value_text
from sealane.settings.units import TimeValue
from sealane.settings.values import Settings

PREFIX: Final = "index."


class ValidationError(ApiError):
    """`validation_exception`: rules of an index's creation broken."""

    es_type, status = "validation_exception", 400


def _as_codec(value: Value, key: str) -> str:
    text = value_text(value)
    if text not in ("default", "best_compression"):
        raise IllegalArgument(
            f"unknown value for [{key}] must be one of [default, best_compression] but was: {text}"
        )
    return text


def _index(
    key: str,
    default: Value | None,
    parse: Parse[Any],
    help: str,
    *,
    dynamic: bool = False,
    private: bool = False,
    final: bool = False,
) -> Any:
    return Setting(
        key=PREFIX + key,
        default=default,
        parse=parse,
        help=help,
        scope=Scope.INDEX,
        dynamic=dynamic,
        private=private,
        final=final,
    )


NUMBER_OF_SHARDS: Final[Setting[int]] = _index(
    "number_of_shards",
    "1",
    as_int(min=1, max=1024),
    "Into how many shards documents are divided.",
    final=True,
)
NUMBER_OF_REPLICAS: Final[Setting[int]] = _index(
    "number_of_replicas",
    "1",
    as_int(min=0),
    "Copies of each shard. Kept and shown; one node holds one copy.",
    dynamic=True,
)
REFRESH_INTERVAL: Final[Setting[TimeValue]] = _index(
    "refresh_interval",
    "1s",
    as_time(min="-1"),
    "How often what was written becomes searchable; -1 only on request.",
    dynamic=True,
)
MAX_RESULT_WINDOW: Final[Setting[int]] = _index(
    "max_result_window", "10000", as_int(min=1), "The most that from + size may be.", dynamic=True
)
MAX_RESCORE_WINDOW: Final[Setting[int]] = _index(
    "max_rescore_window",
    "10000",
    as_int(min=1),
    "The most hits of a shard that a rescorer may score again.",
    dynamic=True,
)
MAX_SLICES: Final[Setting[int]] = _index(
    "max_slices_per_scroll",
    "1024",
    as_int(min=1),
    "The most slices that a scroll or a point in time may be cut into.",
    dynamic=True,
)
MAX_TERMS_COUNT: Final[Setting[int]] = _index(
    "max_terms_count",
    "65536",
    as_int(min=1),
    "The most terms that one terms query may have.",
    dynamic=True,
)
TOTAL_FIELDS_LIMIT: Final[Setting[int]] = _index(
    "mapping.total_fields.limit",
    "1000",
    as_int(min=0),
    "The most fields, objects included, that the mapping may have.",
    dynamic=True,
)
IGNORE_DYNAMIC_BEYOND_LIMIT: Final[Setting[bool]] = _index(
    "mapping.total_fields.ignore_dynamic_beyond_limit",
    "false",
    as_bool,
    "Whether new fields beyond the limit are left unmapped rather than refused.",
    dynamic=True,
)
DEPTH_LIMIT: Final[Setting[int]] = _index(
    "mapping.depth.limit", "20", as_int(min=1), "How deep objects may nest.", dynamic=True
)
NESTED_FIELDS_LIMIT: Final[Setting[int]] = _index(
    "mapping.nested_fields.limit",
    "50",
    as_int(min=0),
    "The most nested fields that the mapping may have.",
    dynamic=True,
)
NESTED_OBJECTS_LIMIT: Final[Setting[int]] = _index(
    "mapping.nested_objects.limit",
    "10000",
    as_int(min=0, max=1_048_576),
    "The most nested objects that a document may have.",
    dynamic=True,
)
MAX_INNER_RESULT_WINDOW: Final[Setting[int]] = _index(
    "max_inner_result_window",
    "100",
    as_int(min=1),
    "The most that from + size of inner hits may be.",
    dynamic=True,
)
COERCE: Final[Setting[bool]] = _index(
    "mapping.coerce", "true", as_bool, "Whether numbers may come as text or with a fraction."
)
IGNORE_MALFORMED: Final[Setting[bool]] = _index(
    "mapping.ignore_malformed",
    "false",
    as_bool,
    "Whether a value that does not fit its field is left out rather than refused.",
)
HIDDEN: Final[Setting[bool]] = _index(
    "hidden", "false", as_bool, "Whether wildcards leave the index out.", dynamic=True
)
CODEC: Final[Setting[str]] = _index(
    "codec", "default", _as_codec, "How stored documents are compressed."
)
DURABILITY_SIZE: Final[Setting[int]] = _index(
    "translog.flush_threshold_size",
    "10gb",
    as_bytes(min=56),
    "How much may lie in the operation log before a commit.",
    dynamic=True,
)
RETAINED_OPERATIONS: Final[Setting[int]] = _index(
    "soft_deletes.retention.operations",
    "100000",
    as_int(min=0),
    "How many operations behind the last commit are kept for whoever follows, also where no lease asks for them.",
    dynamic=True,
)
RETENTION_LEASE_PERIOD: Final[Setting[TimeValue]] = _index(
    "soft_deletes.retention_lease.period",
    "12h",
    as_time(min="0ms"),
    "How long after its last renewal a follower's retention lease still holds operations back.",
    dynamic=True,
)
SOFT_DELETES: Final[Setting[bool]] = _index(
    "soft_deletes.enabled",
    "true",
    as_bool,
    "Whether the history of operations is kept for followers. Always so.",
    final=True,
)
TIER_PREFERENCE: Final[Setting[str]] = _index(
    "routing.allocation.include._tier_preference",
    None,
    as_text,
    "Where the reference would place the index. Kept and shown; there is one place here.",
    dynamic=True,
)
BLOCKS: Final[Mapping[str, Setting[bool]]] = {
    name: _index(f"blocks.{name}", "false", as_bool, help, dynamic=True)
    for name, help in (
        ("read_only", "Refuses writes and changes of metadata."),
        ("read_only_allow_delete", "As read_only, but the index may be deleted."),
        ("read", "Refuses reads."),
        ("write", "Refuses writes."),
        ("metadata", "Refuses reading and changing metadata."),
    )
}

# Ours to write. `version.created` is the one whose name the reference knows when it refuses it.
UUID: Final[Setting[str]] = _index("uuid", None, as_text, "", private=True)
CREATION_DATE: Final[Setting[str]] = _index("creation_date", None, as_text, "", private=True)
PROVIDED_NAME: Final[Setting[str]] = _index("provided_name", None, as_text, "", private=True)
VERSION_CREATED: Final[Setting[str]] = _index("version.created", None, as_text, "", private=True)
FOLLOWING_INDEX: Final[Setting[bool]] = _index(
    "xpack.ccr.following_index",
    "false",
    as_bool,
    "Whether the index is a follower: only its leader's operations are written to it.",
    private=True,
)

USER_SETTINGS: Final[tuple[AnySetting, ...]] = (
    NUMBER_OF_SHARDS,
    NUMBER_OF_REPLICAS,
    REFRESH_INTERVAL,
    MAX_RESULT_WINDOW,
    MAX_RESCORE_WINDOW,
    MAX_SLICES,
    MAX_TERMS_COUNT,
    TOTAL_FIELDS_LIMIT,
    IGNORE_DYNAMIC_BEYOND_LIMIT,
    DEPTH_LIMIT,
    NESTED_FIELDS_LIMIT,
    NESTED_OBJECTS_LIMIT,
    MAX_INNER_RESULT_WINDOW,
    COERCE,
    IGNORE_MALFORMED,
    HIDDEN,
    CODEC,
    DURABILITY_SIZE,
    RETAINED_OPERATIONS,
    RETENTION_LEASE_PERIOD,
    SOFT_DELETES,
    TIER_PREFERENCE,
    *BLOCKS.values(),
    *INDEX_SLOW_LOG_SETTINGS,
)
PRIVATE_SETTINGS: Final[tuple[AnySetting, ...]] = (
    UUID,
    CREATION_DATE,
    PROVIDED_NAME,
    VERSION_CREATED,
    FOLLOWING_INDEX,
)
INDEX_REGISTRY: Final = Registry((*USER_SETTINGS, *PRIVATE_SETTINGS))


def normalized(flat: Mapping[str, Value | None]) -> dict[str, Value | None]:
    """Keys with `index.` before them where it is missing; `*` patterns too."""
    return {
        key if key.startswith(PREFIX) or key == "*" else PREFIX + key: value
        for key, value in flat.items()
    }


def validate_new(settings: Settings) -> None:
    """Judges what a user gave for a new index. Raises IllegalArgument or ValidationError."""
    if FOLLOWING_INDEX.key in settings:
        raise _managed_by_its_api(FOLLOWING_INDEX.key)
    # Judged first, because a known name that may not be set has an error of its own kind.
    INDEX_REGISTRY.validate(settings.filtered(lambda key: key != VERSION_CREATED.key))
    if not SOFT_DELETES.get(settings):
        raise IllegalArgument(
            "Creating indices with soft-deletes disabled is no longer supported. "
            f"Please do not specify a value for setting [{SOFT_DELETES.key}]."
        )
    if VERSION_CREATED.key in settings:
        raise ValidationError(
            "Validation Failed: 1: private index setting "
            f"[{VERSION_CREATED.key}] can not be set explicitly;"
        )


def validate_changes(changes: Mapping[str, Value | None]) -> None:
    """Names and values of a change, whichever index it is for. Raises IllegalArgument."""
    problems: list[ApiError] = []
    for key, value in changes.items():
        if value is None and "*" in key:
            continue
        setting = INDEX_REGISTRY.get(key)
        if key == VERSION_CREATED.key:
            problems.append(
                IllegalArgument(
                    f"can not update private setting [{key}]; "
                    "this setting is managed by Elasticsearch"
                )
            )
        elif key == FOLLOWING_INDEX.key:
            problems.append(_managed_by_its_api(key))
        elif setting is None or setting.private:
            problems.append(INDEX_REGISTRY.unknown(key))
        elif value is not None:
            try:
                setting.check(value)
            except ApiError as error:
                problems.append(error)
    raise_first(problems)


def _managed_by_its_api(key: str) -> IllegalArgument:
    return IllegalArgument(
        f"can not update internal setting [{key}]; this setting is managed via a dedicated API"
    )


def setting_of(key: str) -> Setting[Any] | None:
    return INDEX_REGISTRY.get(key)
