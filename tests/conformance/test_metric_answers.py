"""Metrics, sketches and pipelines, asked of one and of two clusters: the answers are those that 8.19.0 gave.

`metric_answers.json` holds the documents, which both clusters have, the requests, and what the reference answered: the
aggregations, or the types and reasons of its errors.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conftest import Pair

Json = dict[str, Any]
RECORDED: Json = json.loads((Path(__file__).parent / "metric_answers.json").read_text())


@pytest.mark.parametrize("family", sorted(RECORDED["asked"]))
async def test_answers_are_the_references(pair: Pair, family: str) -> None:
    """S-93, S-98, S-106, S-107, S-110, S-112, S-115: each family's requests, over one cluster and over two."""
    await _fill(pair)
    wrong = [
        (case["on"], case["ask"], case["answer"], answer)
        for case in RECORDED["asked"][family]
        if not _same(case["answer"], answer := await _ask(pair, case))
    ]
    assert wrong == []


async def _fill(pair: Pair) -> None:
    documents = RECORDED["documents"]
    for cluster, index, prefix in ((pair.local, "one", ""), (pair.eu, "two", "x")):
        await cluster.call("PUT", f"/{index}", {"mappings": RECORDED["mapping"]})
        await cluster.fill(index, {f"{prefix}{at}": each for at, each in enumerate(documents)})


async def _ask(pair: Pair, case: Json) -> Json:
    typed = "?typed_keys=true" if case["typed"] else ""
    found = (await pair.local.request("POST", f"/{case['on']}/_search{typed}", case["ask"])).body
    if "error" not in found:
        shown = found["aggregations"]
        return {name: shown[name] for name in case["answer"] if name in shown}
    errors, error = [], found["error"]
    while error:
        errors.append([error["type"], error["reason"]])
        error = error.get("caused_by")
    return {"status": found["status"], "errors": errors}


def _same(expected: Any, found: Any) -> bool:
    """Equal, but for the last digits of sums, which follow the order in which sources answered."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(
            _same(value, found[name]) for name, value in expected.items()
        )
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(_same, expected, found))
    if isinstance(expected, float) and isinstance(found, float):
        return found == pytest.approx(expected, rel=1e-12, abs=1e-300)
    return type(expected) is type(found) and expected == found
