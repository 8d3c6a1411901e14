"""Which settings of an index a follower has from its leader, and which are its own. Pure.

The rule is data: names and patterns, as the reference has them. A setting that is in neither list is replicated.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from sealane.errors import IllegalArgument
from sealane.model.patterns import matches
from sealane.settings import Settings, Value
from sealane.settings import index_settings as known

Changes = Mapping[str, Value | None]

_OWN: Final = frozenset(
    f"index.{name}"
    for name in (
        "allocation.max_retries",
        "analyze.max_token_count",
        "auto_expand_replicas",
        "blocks.metadata",
        "blocks.read",
        "blocks.read_only",
        "blocks.read_only_allow_delete",
        "blocks.write",
        "codec",
        "default_pipeline",
        "final_pipeline",
        "gc_deletes",
        "hidden",
        "highlight.max_analyzed_offset",
        "max_docvalue_fields_search",
        "max_inner_result_window",
        "max_refresh_listeners",
        "max_regex_length",
        "max_rescore_window",
        "max_result_window",
        "max_script_fields",
        "max_slices_per_pit",
        "max_slices_per_scroll",
        "max_terms_count",
        "number_of_replicas",
        "priority",
        "query.default_field",
        "refresh_interval",
        "requests.cache.enable",
        "routing.allocation.enable",
        "routing.allocation.total_shards_per_node",
        "routing.rebalance.enable",
        "search.idle.after",
        "search.throttled",
        "soft_deletes.retention.operations",
        "soft_deletes.retention_lease.period",
        "unassigned.node_left.delayed_timeout",
        "warmer.enabled",
        "write.wait_for_active_shards",
    )
)
_OWN_FAMILIES: Final = tuple(
    f"index.{name}.*"
    for name in (
        "indexing.slowlog",
        "merge.policy",
        "merge.scheduler",
        "query_string",
        "routing.allocation.exclude",
        "routing.allocation.include",
        "routing.allocation.require",
        "search.slowlog",
        "translog",
    )
)
_NEVER_COPIED: Final = frozenset(
    {
        known.UUID.key,
        known.CREATION_DATE.key,
        known.PROVIDED_NAME.key,
        known.FOLLOWING_INDEX.key,
        "index.history.uuid",
        "index.soft_deletes.enabled",
    }
)
_NEVER_COPIED_FAMILIES: Final = ("index.version.*",)


def is_replicated(key: str) -> bool:
    """Whether a follower's setting has to be as its leader's."""
    return not (
        key in _OWN
        or key in _NEVER_COPIED
        or any(matches(family, key) for family in (*_OWN_FAMILIES, *_NEVER_COPIED_FAMILIES))
    )


def replicated(settings: Mapping[str, Value]) -> Settings:
    """Those of `settings` that have to be the same on both sides."""
    return Settings({key: value for key, value in settings.items() if is_replicated(key)})


def check_overrides(overrides: Changes, purpose: str = "follower index") -> None:
    """Judges settings that are given for followers, with `index.` before them or not.

    `purpose` is what they are put for. Raises IllegalArgument for unknown and for
    replicated ones, and what a new index's settings raise.
    """
    given = known.normalized(overrides)
    wrong = {key: value for key, value in sorted(given.items()) if is_replicated(key)}
    unknown = [key for key in wrong if known.setting_of(key) is None]
    if unknown:
        plural = "" if len(unknown) == 1 else "s"
        raise IllegalArgument(f"unknown setting{plural} [{','.join(unknown)}]")
    if wrong:
        raise IllegalArgument(
            f"can not put {purpose} that could override leader settings {as_text(wrong)}"
        )
    known.validate_new(Settings({key: value for key, value in given.items() if value is not None}))


def check_pattern_overrides(overrides: Changes) -> None:
    """The same for the settings of an auto-follow pattern."""
    check_overrides(overrides, "auto-follow pattern")


def first_settings(leader: Mapping[str, Value], overrides: Changes) -> Settings:
    """What a new follower begins with: all of the leader's that may be copied, then `overrides`, judged already.

    Raises IllegalArgument for a known setting whose value is none here.
    """
    copied: dict[str, Value] = {
        key: value
        for key, value in leader.items()
        if key not in _NEVER_COPIED
        and not any(matches(family, key) for family in _NEVER_COPIED_FAMILIES)
    }
    _check_values(copied)
    for key, value in known.normalized(overrides).items():
        if value is None:
            copied.pop(key, None)
        else:
            copied[key] = value
    return Settings(copied)


def changes_to_take(own: Settings, leader: Mapping[str, Value]) -> dict[str, Value | None]:
    """What makes a follower's replicated settings those of its leader; None removes one that the leader has no more.

    Raises IllegalArgument for a known setting whose value is none here, and for one that cannot change.
    """
    before, wanted = replicated(own), replicated(leader)
    changes: dict[str, Value | None] = {
        key: value for key, value in wanted.items() if before.get(key) != value
    }
    _check_values(wanted.filtered(lambda key: key in changes))
    changes.update((key, None) for key in before if key not in wanted)
    for key in changes:
        setting = known.setting_of(key)
        if setting is not None and setting.final:
            raise IllegalArgument(
                f"the follower's setting [{key}] is [{before.text(key)}], the leader's [{wanted.text(key)}], and it "
                "is final"
            )
    return changes


def need_reopening(changes: Changes) -> bool:
    """Whether an open index must be closed for one of them. What is not known here has no effect and needs nothing."""
    return any(
        (setting := known.setting_of(key)) is not None and not setting.dynamic for key in changes
    )


def static_ones(settings: Mapping[str, Value]) -> Settings:
    """The replicated ones that an open index cannot take."""
    return replicated(settings).filtered(lambda key: need_reopening({key: None}))


def as_text(settings: Changes) -> str:
    """As errors show settings: one flat JSON object."""
    return msgspec.json.encode(dict(sorted(settings.items()))).decode()


def _check_values(settings: Mapping[str, Value]) -> None:
    for key, value in settings.items():
        setting = known.setting_of(key)
        if setting is not None:
            setting.check(value)
