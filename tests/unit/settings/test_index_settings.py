"""What may be set on an index, with 8.19's refusals."""

import pytest

from sealane.errors import ApiError
from sealane.settings import Settings, flatten
from sealane.settings.index_settings import (
    INDEX_REGISTRY,
    REFRESH_INTERVAL,
    normalized,
    validate_changes,
    validate_new,
)

UNKNOWN = (
    "please check that any required plugins are installed, "
    "or check the breaking changes documentation for removed settings"
)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"index.foo": 1}, f"unknown setting [index.foo] {UNKNOWN}"),
        ({"foo": 1}, f"unknown setting [index.foo] {UNKNOWN}"),
        (
            {"numbr_of_shards": 1},
            "unknown setting [index.numbr_of_shards] did you mean [index.number_of_shards]?",
        ),
        (
            {"number_of_shards": 0},
            "Failed to parse value [0] for setting [index.number_of_shards] must be >= 1",
        ),
        (
            {"number_of_shards": 1025},
            "Failed to parse value [1025] for setting [index.number_of_shards] must be <= 1024",
        ),
        (
            {"index": {"number_of_replicas": -1}},
            "Failed to parse value [-1] for setting [index.number_of_replicas] must be >= 0",
        ),
        ({"uuid": "x"}, f"unknown setting [index.uuid] {UNKNOWN}"),
        ({"creation_date": 12}, f"unknown setting [index.creation_date] {UNKNOWN}"),
        ({"provided_name": "a"}, f"unknown setting [index.provided_name] {UNKNOWN}"),
        (
            {"version.created": 12},
            "Validation Failed: 1: private index setting [index.version.created] "
            "can not be set explicitly;",
        ),
        (
            {"codec": "foo"},
            "unknown value for [index.codec] must be one of [default, best_compression] but was: foo",
        ),
    ],
)
def test_a_new_index_refuses(body: dict[str, object], reason: str) -> None:
    settings = {k: v for k, v in normalized(flatten(body)).items() if v is not None}
    with pytest.raises(ApiError) as raised:
        validate_new(Settings(settings))
    assert raised.value.reason == reason
    assert raised.value.status == 400


def test_several_unknown_settings_are_all_named() -> None:
    with pytest.raises(ApiError) as raised:
        validate_new(Settings({"index.foo": "1", "index.bar": "2"}))
    assert len(raised.value.suppressed) == 1


def test_a_change_refuses_private_and_unknown_settings() -> None:
    with pytest.raises(ApiError) as raised:
        validate_changes({"index.version.created": "1"})
    assert raised.value.reason == (
        "can not update private setting [index.version.created]; "
        "this setting is managed by Elasticsearch"
    )
    with pytest.raises(ApiError) as raised:
        validate_changes({"index.uuid": "1"})
    assert raised.value.reason == f"unknown setting [index.uuid] {UNKNOWN}"
    validate_changes({"index.refresh_interval": None, "index.*": None})


def test_every_default_is_valid() -> None:
    defaults = INDEX_REGISTRY.defaults(Settings())
    INDEX_REGISTRY.validate(defaults)
    assert REFRESH_INTERVAL.get(defaults).seconds == 1
    assert "index.uuid" not in defaults
