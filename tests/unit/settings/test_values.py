"""Settings as a flat map of texts, and their renderings. Expected values are 8.19's."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealane.errors import SettingsError
from sealane.settings import EMPTY, Settings
from sealane.settings.text import double_text, flatten


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0"),
        (1e3, "1000.0"),
        (True, "true"),
        (False, "false"),
        (123456789012345678901234567890, "123456789012345678901234567890"),
        (1e30, "1.0E30"),
        (1.5e-7, "1.5E-7"),
        (0.1, "0.1"),
        (12345678.9, "1.23456789E7"),
        (-0.0005, "-5.0E-4"),
        (0.001, "0.001"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (0.0, "0.0"),
        ("", ""),
        ([1, True, "x"], ("1", "true", "x")),
        ([], ()),
    ],
)
def test_scalars_become_the_text_the_reference_shows(value: object, text: object) -> None:
    assert flatten({"k": value}) == {"k": text}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_reads_back_equal(value: float) -> None:
    assert float(double_text(value)) == value


def test_nested_and_dotted_bodies_are_equal() -> None:
    """C-31"""
    nested = {"cluster": {"remote": {"b": {"mode": "sniff", "seeds": ["a:1"]}}}}
    dotted = {"cluster.remote.b.mode": "sniff", "cluster.remote": {"b.seeds": ["a:1"]}}
    assert Settings.from_nested(nested) == Settings.from_nested(dotted)
    assert hash(Settings.from_nested(nested)) == hash(Settings.from_nested(dotted))


@pytest.mark.parametrize(
    "body",
    [
        {"c": {"m": {"a": 2}, "m.a": 1}},
        {"c": {"m.a": 1, "m": {"a": 2}}},
        {"c.m.a": 1, "c": {"m": {"a": 2}}},
        {"c": {"m": {"a": 2}}, "c.m.a": 1},
    ],
)
def test_a_key_said_twice_is_the_dotted_one(body: dict[str, Any]) -> None:
    assert flatten(body) == {"c.m.a": "1"}


def test_nulls_are_removals_for_a_change_and_nothing_for_settings() -> None:
    assert flatten({"a": {"b": None}, "c": 1}) == {"a.b": None, "c": "1"}
    assert Settings.from_nested({"a": {"b": None}, "c": 1}) == Settings({"c": "1"})


def test_an_empty_object_says_nothing() -> None:
    assert flatten({"a": {}}) == {}


def test_numbered_keys_are_a_list() -> None:
    assert flatten({"s.0": "a", "s.1": "b", "s.3": "d", "t.0.x": "y"}) == {
        "s": ("a", "b"),
        "s.3": "d",
        "t.0.x": "y",
    }


def test_numbered_keys_beside_the_whole_are_refused() -> None:
    with pytest.raises(SettingsError) as raised:
        flatten({"s": "2", "s.0": "1"})
    assert raised.value.status == 500
    assert raised.value.reason == 'Failed to load settings from [{"s":"2","s.0":"1"}]'
    assert raised.value.caused_by is not None
    assert raised.value.caused_by.reason == (
        "settings builder can't contain values for [s=2] and [s.0=1]"
    )


@pytest.mark.parametrize("items", [[None, 1], [{"a": 1}], [[1, 2], 3]])
def test_only_lists_of_scalars_are_lists(items: list[Any]) -> None:
    with pytest.raises(SettingsError) as raised:
        flatten({"k": items})
    assert raised.value.caused_by is not None
    assert raised.value.caused_by.reason == "only value lists are allowed in serialized settings"


def test_a_value_that_is_also_a_prefix_leaves_the_longer_key_dotted() -> None:
    settings = Settings({"c.m.a": "1", "c.m.a.k": "2", "c.m.a.k.l": "3", "c.z": ("x",)})
    assert settings.to_nested() == {"c": {"m": {"a": "1", "a.k": "2", "a.k.l": "3"}, "z": ["x"]}}
    assert settings.to_flat() == {"c.m.a": "1", "c.m.a.k": "2", "c.m.a.k.l": "3", "c.z": ["x"]}


keys = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4).map(".".join)
values = st.one_of(st.text(max_size=3), st.lists(st.text(max_size=3), max_size=2).map(tuple))


@given(st.dictionaries(keys, values))
def test_a_tree_reads_back_as_the_same_settings(flat: dict[str, Any]) -> None:
    settings = Settings(flat)
    assert Settings.from_nested(settings.to_nested()) == settings


def test_merging_lets_the_upper_win() -> None:
    merged = Settings({"a": "1", "b": "1"}).merged(Settings({"b": "2"}))
    assert merged == Settings({"a": "1", "b": "2"})
    assert merged.with_prefix("a") == Settings({"a": "1"})
    assert Settings({"x.a": "1", "y": "2"}).strip_prefix("x.") == Settings({"a": "1"})
    assert EMPTY.text("a", "none") == "none"
    assert Settings({"a": ("1", "2")}).text("a") == "[1, 2]"
