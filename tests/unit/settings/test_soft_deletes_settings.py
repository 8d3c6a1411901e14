"""What a real 8.19.0 answers about `index.soft_deletes.*`."""

import pytest

from sealane.errors import ApiError, IllegalArgument
from sealane.settings import Settings
from sealane.settings.index_settings import (
    RETAINED_OPERATIONS,
    RETENTION_LEASE_PERIOD,
    SOFT_DELETES,
    validate_changes,
    validate_new,
)


def _reason(key: str, value: str) -> str:
    with pytest.raises(ApiError) as caught:
        validate_new(Settings({key: value}))
    assert caught.value.status == 400
    return caught.value.reason


def test_soft_deletes_cannot_be_switched_off() -> None:
    """R-5: so no leader is without them."""
    validate_new(Settings({SOFT_DELETES.key: "true"}))
    assert _reason(SOFT_DELETES.key, "false") == (
        "Creating indices with soft-deletes disabled is no longer supported. Please do not specify a value for "
        "setting [index.soft_deletes.enabled]."
    )
    assert _reason(SOFT_DELETES.key, "maybe") == (
        "Failed to parse value [maybe] as only [true] or [false] are allowed."
    )
    assert SOFT_DELETES.final


def test_retained_operations_are_a_number() -> None:
    assert _reason(RETAINED_OPERATIONS.key, "-1") == (
        "Failed to parse value [-1] for setting [index.soft_deletes.retention.operations] must be >= 0"
    )
    assert _reason(RETAINED_OPERATIONS.key, "x") == (
        "Failed to parse value [x] for setting [index.soft_deletes.retention.operations]"
    )
    validate_changes({RETAINED_OPERATIONS.key: "0"})
    assert RETAINED_OPERATIONS.dynamic


def test_the_period_of_leases_is_a_time() -> None:
    assert _reason(RETENTION_LEASE_PERIOD.key, "-1") == (
        "failed to parse value [-1] for setting [index.soft_deletes.retention_lease.period], must be >= [0ms]"
    )
    assert _reason(RETENTION_LEASE_PERIOD.key, "-2s") == (
        "failed to parse setting [index.soft_deletes.retention_lease.period] with value [-2s] as a time value: "
        "negative durations are not supported"
    )
    validate_changes({RETENTION_LEASE_PERIOD.key: "0ms"})
    assert RETENTION_LEASE_PERIOD.dynamic
    with pytest.raises(IllegalArgument):
        validate_changes({RETENTION_LEASE_PERIOD.key: "soon"})
