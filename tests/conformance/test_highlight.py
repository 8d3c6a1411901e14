"""Highlighting, as a real server answered it: `data/highlights.json` has documents, requests and its answers."""

import json
import re
from pathlib import Path
from typing import Any

from tests.conformance.conftest import Pair

RECORDED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "highlights.json").read_text()
)


async def test_fragments_are_those_of_the_reference(pair: Pair) -> None:
    """S-122: highlights come from the remote as it makes them."""
    for cluster in (pair.local, pair.eu):
        await cluster.call("PUT", "/hl", {"mappings": RECORDED["mappings"]})
        for identifier, document in RECORDED["documents"].items():
            await cluster.call("PUT", f"/hl/_doc/{identifier}?refresh=true", document)
    wrong = []
    for number, (body, expected) in enumerate(RECORDED["cases"]):
        target = "eu:hl" if number % 2 else "hl"
        answer = await pair.local.request("POST", f"/{target}/_search", {**body, "sort": ["_doc"]})
        found = _shown(answer.status, answer.body)
        if found != _placeless(expected) and not (target == "eu:hl" and "status" in expected):
            wrong.append((number, body, expected, found))
    assert not wrong, (len(wrong), wrong[:5])


def _shown(status: int, body: dict[str, Any]) -> dict[str, Any]:
    if status == 200:
        return {hit["_id"]: hit.get("highlight") for hit in body["hits"]["hits"]}
    cause = body["error"]["root_cause"][0]
    return _placeless({"status": status, "type": cause["type"], "reason": cause["reason"]})


def _placeless(answer: dict[str, Any]) -> dict[str, Any]:
    """Without places in the request, whose spaces are not recorded."""
    if "reason" in answer:
        return {**answer, "reason": re.sub(r"^\[\d+:\d+\] ", "", answer["reason"])}
    return answer
