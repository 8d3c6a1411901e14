"""Settings that have been read: parsed once, and anew where others are in force."""

from collections.abc import Mapping

import pytest

from sealane.cluster.read_settings import ReadSettings
from sealane.errors import IllegalArgument
from sealane.settings import Setting, Settings, Value


def counting(reads: list[str]) -> Setting[int]:
    def parse(value: Value, key: str) -> int:
        reads.append(str(value))
        if not str(value).isdigit():
            raise IllegalArgument(f"no number [{value}] for [{key}]")
        return int(str(value))

    return Setting(key="a.number", default="1", parse=parse)


def test_a_value_is_parsed_once() -> None:
    reads: list[str] = []
    read, setting, settings = ReadSettings(), counting(reads), Settings({"a.number": "7"})
    assert [read.get(setting, settings) for _ in range(3)] == [7, 7, 7]
    assert reads == ["7"]


def test_other_settings_are_read_anew() -> None:
    reads: list[str] = []
    read, setting = ReadSettings(), counting(reads)
    texts: tuple[Mapping[str, Value], ...] = (Settings({"a.number": "7"}), Settings({}))
    assert [read.get(setting, settings) for settings in texts] == [7, 1]


def test_a_setting_of_the_same_key_is_another_one() -> None:
    read, settings = ReadSettings(), Settings({"a.number": "7"})
    assert read.get(counting([]), settings) == 7
    text = Setting(key="a.number", default="1", parse=lambda value, key: f"text {value}")
    assert read.get(text, settings) == "text 7"


def test_what_cannot_be_read_is_said_each_time() -> None:
    read, setting, settings = ReadSettings(), counting([]), Settings({"a.number": "x"})
    for _ in range(2):
        with pytest.raises(IllegalArgument):
            read.get(setting, settings)
