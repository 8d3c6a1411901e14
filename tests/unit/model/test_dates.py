"""Dates: formats, date math, time zones, as Elasticsearch 8.19.0 reads and writes them."""

import pytest

from sealane.errors import IllegalArgument, ParseError
from sealane.model.dates import (
    DEFAULT_FORMAT,
    check_format,
    format_date,
    parse_date,
    resolve_date_math,
    zone,
)


@pytest.mark.parametrize(
    ("text", "fmt", "last_ms"),
    [
        ("2020-01-01T", DEFAULT_FORMAT, 1577923199999),
        ("2020-01-01", DEFAULT_FORMAT, 1577923199999),
        ("2020-01-01T03", DEFAULT_FORMAT, 1577851199999),
        ("2020-01-01T03+01", DEFAULT_FORMAT, 1577847599999),
        ("2020-01-01T03:04+0130", DEFAULT_FORMAT, 1577842499999),
        ("2020-01-01T03:04Europe/Paris", DEFAULT_FORMAT, 1577844299999),
        ("2020-01-01T03:04:05,5", DEFAULT_FORMAT, 1577847845500),
        ("2020-01-01T03:04:05.123456789Z", DEFAULT_FORMAT, 1577847845123),
        ("1577836800000", DEFAULT_FORMAT, 1577836800000),
        ("20200101", DEFAULT_FORMAT, 20200101),
        ("2024", DEFAULT_FORMAT, 1704153599999),
        (5.5, DEFAULT_FORMAT, 5),
        ("2020", "yyyy", 1577923199999),
        ("2020-1-2", "date_optional_time", 1578009599999),
        ("20200102", "basic_date", 1578009599999),
        ("01/02/20", "dd/MM/yy", 1580601599999),
        ("Sat, 1 Feb 2020", "EEE, d MMM yyyy", 1580601599999),
        ("2020-01-02 03:04:05 +0100", "yyyy-MM-dd HH:mm:ss Z", 1577930645999),
        ("2020-01-02T03:04:05.1Z", "date_time", 1577934245100),
        ("2020-W05-1", "strict_week_date", 1580169599999),
        ("2020W051", "basic_week_date", 1580169599999),
        ("2020-045", "strict_ordinal_date", 1581724799999),
        ("2020-01-02T03", "date_hour", 1577937599999),
        ("2020-02-30", "yyyy-MM-dd", 1583020799999),
        ("5", "epoch_second", 5999),
    ],
)
def test_what_is_missing_is_the_end_when_rounding_up(
    text: str | float, fmt: str, last_ms: int
) -> None:
    assert parse_date(text, fmt, round_up=True) == last_ms


@pytest.mark.parametrize(
    ("text", "fmt", "reason", "cause"),
    [
        ("2020-1-1", DEFAULT_FORMAT, None, "Failed to parse with all enclosed parsers"),
        ("2020-13-01", DEFAULT_FORMAT, None, "Failed to parse with all enclosed parsers"),
        ("99999999999999999999", DEFAULT_FORMAT, None, "Failed to parse with all enclosed parsers"),
        ("foo", "yyyy-MM-dd", None, "Text 'foo' could not be parsed at index 0"),
        ("2020-01-0x", "yyyy-MM-dd", None, "Text '2020-01-0x' could not be parsed at index 8"),
        (
            "2020-01-02x",
            "yyyy-MM-dd",
            None,
            "Text '2020-01-02x' could not be parsed, unparsed text found at index 10",
        ),
        ("2020-1-2", "strict_date", None, "Text '2020-1-2' could not be parsed at index 5"),
        ("2020-02-30", DEFAULT_FORMAT, "Invalid date 'FEBRUARY 30'", None),
        (
            "2021-02-29",
            DEFAULT_FORMAT,
            "Invalid date 'February 29' as '2021' is not a leap year",
            None,
        ),
        (
            "2020-00-10",
            DEFAULT_FORMAT,
            "Invalid value for MonthOfYear (valid values 1 - 12): 0",
            None,
        ),
    ],
)
def test_errors_have_the_texts_of_the_reference(
    text: str, fmt: str, reason: str | None, cause: str | None
) -> None:
    inner = reason or f"failed to parse date field [{text}] with format [{fmt}]"
    with pytest.raises(ParseError) as raised:
        parse_date(text, fmt)
    assert raised.value.reason == (
        f"failed to parse date field [{text}] with format [{fmt}]: [{inner}]"
    )
    assert raised.value.caused_by is not None
    assert raised.value.caused_by.reason == inner
    deepest = raised.value.caused_by.caused_by
    assert (deepest.reason if deepest else None) == cause


NOW = 1_700_000_000_000  # 2023-11-14T22:13:20Z


@pytest.mark.parametrize(
    ("text", "up", "expected"),
    [
        ("now", False, "2023-11-14T22:13:20.000Z"),
        ("now-1d/d", False, "2023-11-13T00:00:00.000Z"),
        ("now/M", True, "2023-11-30T23:59:59.999Z"),
        ("now/w", False, "2023-11-13T00:00:00.000Z"),
        ("2024-01-31||+1M", False, "2024-02-29T00:00:00.000Z"),
        ("2024-02-29||+1y/d", False, "2025-02-28T00:00:00.000Z"),
        ("2020-01-01||/1d", False, "2020-01-01T00:00:00.000Z"),
        ("2020-01-01||-1h+30m", False, "2019-12-31T23:30:00.000Z"),
    ],
)
def test_date_math(text: str, up: bool, expected: str) -> None:
    assert format_date(resolve_date_math(text, NOW, round_up=up)) == expected


def test_date_math_rounds_in_the_time_zone() -> None:
    ms = resolve_date_math("2020-01-01||/d", NOW, round_up=True, time_zone="+01:00")
    assert ms == 1577919599999


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("now-1q", "unit [q] not supported for date math [-1q]"),
        ("now+", "truncated date math [+]"),
        ("2020-01-01||+1", "truncated date math [+1]"),
        ("2020-01-01||*1d", "operator not supported for date math [*1d]"),
        ("now/2d", "rounding `/` can only be used on single unit types [/2d]"),
        ("", "cannot parse empty datetime"),
    ],
)
def test_broken_date_math(text: str, reason: str) -> None:
    with pytest.raises(ParseError) as raised:
        resolve_date_math(text, NOW)
    assert raised.value.reason == reason


def test_writing() -> None:
    assert format_date(1577836800000, "yyyy-MM-dd HH:mm:ss Z", "Europe/Paris") == (
        "2020-01-01 01:00:00 +0100"
    )
    assert format_date(0, None, "+01:00") == "1970-01-01T01:00:00.000+01:00"
    assert format_date(1500, "epoch_second") == "1.5"
    assert format_date(253402300800000) == "+10000-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("fmt", "problem"),
    [
        ("bogus{", "Unknown pattern letter: b"),
        ("yyyy {", "Pattern includes reserved character: '{'"),
        ("MMMMMM", "Too many pattern letters: M"),
        ("y" * 20, "The minimum width must be from 1 to 19 inclusive but was 20"),
        ("n" * 20, "The minimum width must be from 1 to 19 inclusive but was 20"),
        ("yyyy-]", "Pattern invalid as it contains ] without previous ["),
    ],
)
def test_formats_that_are_none(fmt: str, problem: str) -> None:
    with pytest.raises(IllegalArgument) as raised:
        check_format(fmt)
    assert raised.value.reason == f"Invalid format: [{fmt}]: {problem}"


def test_a_year_may_have_up_to_nineteen_letters() -> None:
    assert parse_date("000000002020", "y" * 12) == parse_date("2020", "yyyy")


@pytest.mark.parametrize("name", ["Bogus/Zone", "../etc/passwd", "+19:00", "foo bar", ""])
def test_zones_that_do_not_exist(name: str) -> None:
    with pytest.raises(IllegalArgument, match=r"java\.time\."):
        zone(name)


@pytest.mark.parametrize(
    "text", ["2019-W18-2T11:22:33.004Z", "2019-W18-2", "2019-01-02T11:22:33.00+Z", "2019-001-1"]
)
def test_the_default_format_refuses_what_only_looks_like_it(text: str) -> None:
    with pytest.raises(ParseError, match="failed to parse date field"):
        parse_date(text)
