"""Whether an answer is right: what it shows is what its clusters hold, and what is missing is named."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from scripts.chaos.http import Answer
from scripts.chaos.world import DOCUMENTS, KINDS, World, documents_of

Json = Mapping[str, Any]


class WrongAnswerError(Exception):
    """The message says what is wrong with it."""


def check(holds: bool, problem: str, answer: Any) -> None:
    if not holds:
        raise WrongAnswerError(f"{problem}: {str(answer)[:2000]}")


def expected_numbers(world: World, clusters: Sequence[str]) -> list[int]:
    """The field `n` of all documents of these clusters, ascending."""
    places = [world.names.index(each) for each in clusters]
    return sorted(document["n"] for place in places for document in documents_of(place))


def judge_error(world: World, answer: Answer, *, later_page: bool = False) -> str:
    """The kind of an error that may be; `later_page` is one of a scroll or of a point in time, which may be gone."""
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    check(isinstance(error, dict), f"status {answer.status} without an error", answer)
    assert isinstance(error, dict)
    kind = str(error.get("type"))
    check(kind != "exception", "an internal error", answer)
    if later_page:
        return f"page:{kind}"
    alias = error.get("cluster")
    if alias is None and error.get("reason") == "Partial shards failure":
        # Of opening a point in time, which takes all shards or none: their indices name their clusters.
        check(_names_clusters(error), "failed shards that name no cluster", answer)
        return "error:partial_shards"
    check(alias is not None, "an error that names no cluster", answer)
    check(world.may_fail(str(alias)), "an error of a cluster that may be skipped", answer)
    return f"error:{kind}"


def _names_clusters(error: Json) -> bool:
    shards = error.get("failed_shards", ())
    return bool(shards) and all(":" in str(shard["index"]) for shard in shards)


def judge_clusters(
    world: World, body: Json, among: Sequence[str] | None = None
) -> dict[str, list[str]]:
    """The clusters by their status. All that were asked are there, and those that lack something say why."""
    block = body["_clusters"]
    details: Mapping[str, Json] = block["details"]
    asked = world.names if among is None else among
    check(set(details) == set(asked), f"clusters are not {asked}", body)
    by_status: dict[str, list[str]] = {}
    for name in asked:
        by_status.setdefault(details[name]["status"], []).append(name)
    for status in ("successful", "skipped", "running", "partial", "failed"):
        check(block[status] == len(by_status.get(status, ())), f"count of {status}", body)
    for status, names in by_status.items():
        for name in names:
            detail = details[name]
            told = bool(detail.get("failures")) or detail["timed_out"]
            check(
                status in ("successful", "running") or told,
                f"[{name}] is {status} without a reason",
                body,
            )
    return by_status


def judge_search(world: World, answer: Answer, body: Json, *, from_: int, size: int) -> str:
    """A whole answer to a search sorted by `n` with the aggregations `kinds` and `sum`; `body` is the search's answer
    within `answer`. Returns what kind of answer it is.
    """
    by_status = judge_clusters(world, body)
    check("running" not in by_status, "an ended search that runs", answer)
    wrong = [each for each in by_status.get("failed", ()) if not world.may_fail(each)]
    check(not wrong, f"{wrong} may be skipped and failed", answer)
    successful = by_status.get("successful", [])
    total = body["hits"]["total"]["value"]
    shown = [hit["_source"]["n"] for hit in body["hits"]["hits"]]
    whole = expected_numbers(world, successful)
    partly = _partly_heard(body)
    if partly:
        most = expected_numbers(world, [*successful, *partly])
        check(len(whole) <= total <= len(most), "a total out of bounds", answer)
        check(shown == sorted(set(shown)), "hits twice or out of order", answer)
        check(set(shown) <= set(most), "hits of nowhere", answer)
        return "partial"
    check(total == len(whole), f"total is not {len(whole)}", answer)
    check(shown == whole[from_ : from_ + size], "wrong hits", answer)
    _judge_aggregations(body.get("aggregations"), whole, len(successful), answer)
    return "whole" if len(successful) == len(world.names) else "skipped"


def _partly_heard(body: Json) -> list[str]:
    """The clusters of which some may be in the answer: a shard that fails when its hits are fetched was counted."""
    details: Mapping[str, Json] = body["_clusters"]["details"]
    return [
        name
        for name, detail in details.items()
        if detail["status"] != "successful" and ("_shards" in detail or detail["timed_out"])
    ]


def _judge_aggregations(
    aggregations: Json | None, whole: Sequence[int], clusters: int, answer: Answer
) -> None:
    if aggregations is None:
        check(not whole, "aggregations are missing", answer)
        return
    check(aggregations["sum"]["value"] == sum(whole), "a wrong sum", answer)
    buckets = {each["key"]: each["doc_count"] for each in aggregations["kinds"]["buckets"]}
    each_kind = clusters * DOCUMENTS // len(KINDS)
    wanted = Counter(dict.fromkeys(KINDS, each_kind)) if whole else Counter()
    check(buckets == wanted, f"buckets are not {dict(wanted)}", answer)


def judge_count(world: World, answer: Answer) -> str:
    by_status = judge_clusters(world, answer.body)
    successful = by_status.get("successful", [])
    count, least = answer.body["count"], len(expected_numbers(world, successful))
    if "partial" in by_status:
        most = least + DOCUMENTS * len(by_status["partial"])
        check(least <= count <= most, "a count out of bounds", answer)
        return "partial"
    check(count == least, f"count is not {least}", answer)
    return "whole" if len(successful) == len(world.names) else "skipped"
