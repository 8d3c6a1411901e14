"""The six searches that are measured, each in fifty variants, the same ones for everybody."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

VARIANTS = 50
INDEX = "cities"
REMOTE = "remote"
LOCAL_EXPRESSION = INDEX
CCS_EXPRESSION = f"{INDEX},{REMOTE}:{INDEX}"

# Shorter words are syllables of many languages, and say little about a search for a name.
_WORD_LETTERS = 4
# As many of one continent as of the other.
_COUNTRIES = ("FR", "US", "DE", "MX", "IT", "BR", "ES", "CA", "RO", "AR")


@dataclass(frozen=True, slots=True)
class Workload:
    """`bodies` are the variants, sent in turn."""

    name: str
    bodies: tuple[str, ...]


def workloads(names: list[str]) -> list[Workload]:
    """Built from the names of all cities that are searched, so that there is something to find."""
    words = frequent_words(names)

    def variants(name: str, build: Callable[[int], dict[str, Any]]) -> Workload:
        bodies = tuple(json.dumps(build(number), ensure_ascii=False) for number in range(VARIANTS))
        return Workload(name, bodies)

    return [
        variants("match", lambda i: {"query": {"match": {"name": words[i]}}}),
        variants(
            "bool",
            lambda i: {
                "query": {
                    "bool": {
                        "must": [{"match": {"name": words[i]}}],
                        "filter": [
                            {"term": {"countrycode": _COUNTRIES[i % len(_COUNTRIES)]}},
                            {"range": {"population": {"gte": 500 + 10 * i}}},
                        ],
                    }
                }
            },
        ),
        variants(
            "sort", lambda i: {"query": _larger_than(1000 * i), "sort": [{"population": "desc"}]}
        ),
        variants(
            "terms",
            lambda i: {
                "size": 0,
                "query": _larger_than(100 * i),
                "aggs": {
                    "countries": {
                        "terms": {"field": "countrycode"},
                        "aggs": {"mean": {"avg": {"field": "population"}}},
                    }
                },
            },
        ),
        variants(
            "date_histogram",
            lambda i: {
                "size": 0,
                "query": _larger_than(100 * i),
                "aggs": {
                    "months": {
                        "date_histogram": {"field": "observed", "calendar_interval": "month"}
                    }
                },
            },
        ),
        variants("deep", lambda i: {"query": _larger_than(10 * i), "from": 900, "size": 100}),
    ]


def frequent_words(names: list[str]) -> list[str]:
    """The fifty most frequent words of the names, by count and then by alphabet."""
    counts = Counter(
        word
        for name in names
        for word in name.lower().split()
        if len(word) >= _WORD_LETTERS and word.isalpha()
    )
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    if len(ranked) < VARIANTS:
        raise ValueError(f"only {len(ranked)} words in {len(names)} names, need {VARIANTS}")
    return ranked[:VARIANTS]


def _larger_than(population: int) -> dict[str, Any]:
    return {"range": {"population": {"gte": population}}}
