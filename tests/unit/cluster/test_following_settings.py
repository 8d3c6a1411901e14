"""Which settings a follower has from its leader."""

from typing import Any

import pytest

from sealane.cluster.following_settings import (
    changes_to_take,
    check_overrides,
    check_pattern_overrides,
    first_settings,
    is_replicated,
    need_reopening,
)
from sealane.errors import ApiError, IllegalArgument
from sealane.settings import Settings
from sealane.settings.index_settings import USER_SETTINGS


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("index.number_of_replicas", False),
        ("index.routing.allocation.include._tier_preference", False),
        ("index.routing.allocation.require.rack", False),
        ("index.blocks.write", False),
        ("index.search.slowlog.threshold.query.warn", False),
        ("index.translog.flush_threshold_size", False),
        ("index.codec", False),
        ("index.hidden", False),
        ("index.refresh_interval", False),
        ("index.soft_deletes.retention.operations", False),
        ("index.soft_deletes.retention_lease.period", False),
        ("index.soft_deletes.enabled", False),
        ("index.version.created", False),
        ("index.version.upgraded", False),
        ("index.uuid", False),
        ("index.creation_date", False),
        ("index.xpack.ccr.following_index", False),
        ("index.number_of_shards", True),
        ("index.mapping.total_fields.limit", True),
        ("index.mapping.coerce", True),
        ("index.analysis.analyzer.a.type", True),
        ("index.lifecycle.indexing_complete", True),
        ("index.routing_path", True),
        ("index.of_a_plugin", True),
    ],
)
def test_a_setting_is_the_leaders_unless_it_is_listed_as_local(key: str, expected: bool) -> None:
    assert is_replicated(key) is expected


def test_of_the_settings_there_are_these_are_replicated() -> None:
    assert sorted(s.key for s in USER_SETTINGS if is_replicated(s.key)) == [
        "index.mapping.coerce",
        "index.mapping.depth.limit",
        "index.mapping.ignore_malformed",
        "index.mapping.nested_fields.limit",
        "index.mapping.nested_objects.limit",
        "index.mapping.total_fields.ignore_dynamic_beyond_limit",
        "index.mapping.total_fields.limit",
        "index.number_of_shards",
    ]


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (
            {"index.number_of_shards": "2"},
            'can not put follower index that could override leader settings {"index.number_of_shards":"2"}',
        ),
        (
            {"mapping.coerce": "false", "number_of_replicas": "0"},
            'can not put follower index that could override leader settings {"index.mapping.coerce":"false"}',
        ),
        (
            {"index.mapping.coerce": None},
            'can not put follower index that could override leader settings {"index.mapping.coerce":null}',
        ),
        ({"index.nothing": "1"}, "unknown setting [index.nothing]"),
        (
            {"index.b": "1", "index.a": "1", "index.number_of_shards": "2"},
            "unknown settings [index.a,index.b]",
        ),
        (
            {"index.xpack.ccr.following_index": "false"},
            "can not update internal setting [index.xpack.ccr.following_index]; this setting is managed via a "
            "dedicated API",
        ),
        (
            {"index.number_of_replicas": "-1"},
            "Failed to parse value [-1] for setting [index.number_of_replicas] must be >= 0",
        ),
    ],
)
def test_overrides_of_the_leaders_settings_are_refused(
    overrides: dict[str, Any], reason: str
) -> None:
    """R-10, R-11: what is replicated, what is unknown and what is malformed cannot be given for a follower."""
    with pytest.raises(ApiError) as raised:
        check_overrides(overrides)
    assert (raised.value.status, raised.value.es_type, raised.value.reason) == (
        400,
        "illegal_argument_exception",
        reason,
    )


def test_an_auto_follow_pattern_is_told_in_its_own_words() -> None:
    with pytest.raises(IllegalArgument) as raised:
        check_pattern_overrides({"index.number_of_shards": "2"})
    assert raised.value.reason == (
        "can not put auto-follow pattern that could override leader settings "
        '{"index.number_of_shards":"2"}'
    )


def test_local_settings_may_be_given() -> None:
    """R-10: replicas are the follower's own."""
    check_overrides({"number_of_replicas": "0", "index.refresh_interval": None})
    check_pattern_overrides({})


def test_a_new_follower_has_all_that_may_be_copied_and_the_overrides() -> None:
    leader = {
        "index.number_of_shards": "3",
        "index.number_of_replicas": "2",
        "index.refresh_interval": "5s",
        "index.hidden": "true",
        "index.uuid": "theirs",
        "index.version.created": "1",
        "index.of_a_plugin": "x",
        "index.xpack.ccr.following_index": "true",
    }
    assert first_settings(leader, {"number_of_replicas": "0", "index.refresh_interval": None}) == (
        Settings(
            {
                "index.number_of_shards": "3",
                "index.number_of_replicas": "0",
                "index.hidden": "true",
                "index.of_a_plugin": "x",
            }
        )
    )


def test_a_leaders_value_that_is_none_here_is_told_and_not_taken() -> None:
    with pytest.raises(IllegalArgument):
        first_settings({"index.mapping.coerce": "perhaps"}, {})
    with pytest.raises(IllegalArgument):
        changes_to_take(Settings(), {"index.mapping.depth.limit": "x"})


def test_removed_settings_of_the_leader_are_removed_and_local_ones_are_left() -> None:
    """R-34: what is not replicated does not come; a replicated setting that the leader has no more goes."""
    own = Settings(
        {
            "index.mapping.depth.limit": "5",
            "index.mapping.total_fields.limit": "10",
            "index.refresh_interval": "1s",
        }
    )
    leader = {"index.mapping.total_fields.limit": "20", "index.refresh_interval": "9s"}
    assert changes_to_take(own, leader) == {
        "index.mapping.total_fields.limit": "20",
        "index.mapping.depth.limit": None,
    }
    assert changes_to_take(Settings(leader), leader) == {}


def test_another_number_of_shards_is_never_taken() -> None:
    with pytest.raises(IllegalArgument, match="is final"):
        changes_to_take(Settings({"index.number_of_shards": "1"}), {"index.number_of_shards": "2"})


def test_only_static_settings_need_a_closed_index() -> None:
    assert not need_reopening({"index.mapping.depth.limit": "3", "index.of_a_plugin": "x"})
    assert need_reopening({"index.mapping.coerce": None})
