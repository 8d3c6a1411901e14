"""Buckets of a date_histogram around changes of the clocks, with keys that Elasticsearch 8.19.0 gave."""

import pytest

from sealane.model.dates import Rounding, format_date, parse_date


@pytest.mark.parametrize(
    ("where", "first", "following"),
    [
        ("Europe/Berlin", "2020-03-29T00:00:00.000+01:00", "2020-03-29T03:00:00.000+02:00"),
        ("Australia/Lord_Howe", "2020-04-05T00:00:00.000+11:00", "2020-04-05T03:00:00.000+10:30"),
    ],
)
def test_three_hours_are_counted_on_the_local_clock(where: str, first: str, following: str) -> None:
    rounding = Rounding(fixed_interval_ms=3 * 3_600_000, time_zone=where)
    assert format_date(rounding.next(parse_date(first)), None, where) == following


def test_an_hour_shown_twice_is_two_buckets() -> None:
    rounding = Rounding("hour", time_zone="Europe/Berlin")
    first = rounding.floor(parse_date("2023-10-29T00:30:00Z"))
    assert first == 1698537600000
    assert rounding.next(first) == 1698541200000
    assert rounding.floor(parse_date("2023-10-29T01:30:00Z")) == 1698541200000


def test_where_clocks_go_back_by_half_an_hour() -> None:
    rounding = Rounding("hour", time_zone="Australia/Lord_Howe")
    assert rounding.next(1586008800000) == 1586014200000


def test_a_day_whose_midnight_is_skipped_begins_at_the_gap() -> None:
    rounding = Rounding("day", time_zone="America/Sao_Paulo")
    start = rounding.floor(parse_date("2018-11-04T12:00:00Z"))
    assert format_date(start) == "2018-11-04T03:00:00.000Z"


@pytest.mark.parametrize("where", ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata"])
@pytest.mark.parametrize("unit", ["minute", "hour", "day", "week", "month", "quarter", "year"])
def test_every_instant_lies_in_the_bucket_it_is_rounded_to(unit: str, where: str) -> None:
    rounding = Rounding(unit, time_zone=where, offset_ms=-3_600_000)  # type: ignore[arg-type]
    for ms in range(1_520_000_000_000, 1_560_000_000_000, 86_400_000 * 3 + 1_234_567):
        start = rounding.floor(ms)
        assert start <= ms < rounding.next(start)
        assert rounding.floor(start) == start
