"""The settings of cross-cluster replication: names, defaults, ranges, and which may change while a node runs."""

from typing import Any

import pytest

from sealane.errors import IllegalArgument
from sealane.settings import EMPTY, Registry, Setting, Settings, TimeValue, value_text
from sealane.settings.ccr_settings import (
    AUTO_FOLLOW_WAIT_FOR_METADATA,
    CCR_MAX_BYTES_PER_SEC,
    CCR_SETTINGS,
    CCR_WAIT_FOR_METADATA,
)
from sealane.settings.node_settings import NODE_SETTINGS

REGISTRY = Registry(CCR_SETTINGS)


def test_names_defaults_and_what_is_dynamic() -> None:
    shown = {
        each.key: (value_text(each.default_raw(EMPTY) or ""), each.dynamic)
        for each in CCR_SETTINGS
        if isinstance(each, Setting)
    }
    assert shown == {
        "xpack.ccr.enabled": ("true", False),
        "xpack.ccr.ccr_thread_pool.size": ("32", False),
        "xpack.ccr.ccr_thread_pool.queue_size": ("100", False),
        "ccr.indices.recovery.max_bytes_per_sec": ("40mb", True),
        "ccr.indices.recovery.chunk_size": ("1mb", True),
        "ccr.indices.recovery.max_concurrent_file_chunks": ("5", True),
        "ccr.indices.recovery.recovery_activity_timeout": ("60s", True),
        "ccr.indices.recovery.internal_action_timeout": ("60s", True),
        "ccr.wait_for_metadata_timeout": ("60s", True),
        "ccr.auto_follow.wait_for_metadata_timeout": ("60s", True),
        "ccr.max_buffered_bytes": ("256mb", True),
        "ccr.retention_lease.renew_interval": ("30s", True),
    }
    assert set(CCR_SETTINGS) <= set(NODE_SETTINGS)


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("ccr.indices.recovery.chunk_size", ("1kb", "1gb"), ("1023b", "1025mb", "1")),
        ("ccr.indices.recovery.max_concurrent_file_chunks", ("1", "10"), ("0", "11", "x")),
        ("ccr.indices.recovery.max_bytes_per_sec", ("-1", "0", "1gb"), ("-2", "fast")),
        ("ccr.indices.recovery.internal_action_timeout", ("0", "1d"), ("-1", "60")),
        ("ccr.wait_for_metadata_timeout", ("1ms",), ("-1",)),
        ("ccr.max_buffered_bytes", ("1mb",), ("1kb", "0")),
        ("ccr.retention_lease.renew_interval", ("1ms",), ("0", "-1")),
        ("xpack.ccr.enabled", ("true", "false"), ("yes",)),
        ("xpack.ccr.ccr_thread_pool.size", ("1",), ("0",)),
        ("xpack.ccr.ccr_thread_pool.queue_size", ("-1",), ("-2",)),
    ],
)
def test_ranges(key: str, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    for value in good:
        REGISTRY.validate(Settings({key: value}))
    for value in bad:
        with pytest.raises(IllegalArgument):
            REGISTRY.validate(Settings({key: value}))


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({}, 60),
        ({"ccr.wait_for_metadata_timeout": "7s"}, 7),
        (
            {
                "ccr.wait_for_metadata_timeout": "7s",
                "ccr.auto_follow.wait_for_metadata_timeout": "9s",
            },
            9,
        ),
    ],
)
def test_auto_following_waits_as_all_do_unless_it_is_told(given: Any, seconds: int) -> None:
    assert AUTO_FOLLOW_WAIT_FOR_METADATA.get(given) == TimeValue.of_seconds(seconds)
    assert CCR_WAIT_FOR_METADATA.get(given).seconds in (60.0, 7.0)


def test_no_limit_of_speed_is_minus_one_or_nothing() -> None:
    assert CCR_MAX_BYTES_PER_SEC.get({CCR_MAX_BYTES_PER_SEC.key: "-1"}) == -1
    assert CCR_MAX_BYTES_PER_SEC.get({CCR_MAX_BYTES_PER_SEC.key: "0"}) == 0
