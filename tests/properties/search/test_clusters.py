"""`_clusters` under random trouble: each cluster is counted once, as what became of it, and what it gave is there."""

import random
from pathlib import Path
from typing import Any

from sealane.testing.in_process import InProcessCluster, clusters
from tests.properties.search.seeds import seeds

REMOTES = ("eu", "us", "asia")
NAMES = ("local", *REMOTES)
TROUBLES = ("none", "none", "cut", "missing", "bad", "partly bad", "no match")
EXPRESSIONS = {
    "none": "good",
    "cut": "good",
    "missing": "missing",
    "bad": "bad",
    "partly bad": "good,bad",
    "no match": "miss*",
}
EXPECTED = {
    "none": "successful",
    "cut": "skipped",
    "missing": "skipped",
    "bad": "skipped",
    "partly bad": "partial",
    "no match": "successful",
}
GOOD, SHARDS = 3, {"none": 2, "partly bad": 3, "no match": 0}
"""Documents in each `good`, and shards that a cluster tells of, which has 2 in `good` and 1 in `bad`."""


async def _fill(cluster: InProcessCluster) -> None:
    """`good` can be sorted by `n`, `bad` cannot."""
    await cluster.call("PUT", "/good", {"settings": {"number_of_shards": 2}})
    await cluster.fill("good", {f"{cluster.name}-{n}": {"n": n} for n in range(GOOD)})
    await cluster.call("PUT", "/bad", {"mappings": {"properties": {"n": {"type": "text"}}}})
    await cluster.fill("bad", {"bad": {"n": "text"}})


async def test_every_cluster_is_counted_once(tmp_path: Path) -> None:
    """S-75, S-51, S-66, S-68, S-69, S-70, S-78."""
    async with clusters(tmp_path, *NAMES) as made:
        local, remotes = made[0], made[1:]
        for each in made:
            await _fill(each)
        links = {each.name: local.register(each) for each in remotes}
        for seed in seeds(100):
            rng = random.Random(seed)
            troubles = {
                name: rng.choice(TROUBLES) for name in rng.sample(REMOTES, rng.randint(1, 3))
            }
            for name, trouble in troubles.items():
                links[name].is_cut = trouble == "cut"
            with_local = rng.random() < 0.5
            parts = ["good"] if with_local else []
            for name, trouble in troubles.items():
                parts += [f"{name}:{index}" for index in EXPRESSIONS[trouble].split(",")]
            rng.shuffle(parts)
            target = f"/{','.join(parts)}/_search"
            answer = await local.call("POST", target, {"sort": "n", "size": 100})
            _check(answer, troubles | ({"(local)": "none"} if with_local else {}), target)


def _check(answer: dict[str, Any], troubles: dict[str, str], target: str) -> None:
    block = answer["_clusters"]
    expected = {name: EXPECTED[trouble] for name, trouble in troubles.items()}
    details = block["details"]
    assert {name: each["status"] for name, each in details.items()} == expected, target
    for status in ("successful", "skipped", "running", "partial", "failed"):
        assert block[status] == list(expected.values()).count(status), target
    assert block["total"] == len(troubles), target
    answered = {name for name, status in expected.items() if status != "skipped"}
    shards = {name: SHARDS[troubles[name]] for name in answered}
    assert {name: details[name]["_shards"]["total"] for name in answered} == shards, target
    assert answer["_shards"]["total"] == sum(shards.values()), target
    assert answer["_shards"]["failed"] == list(expected.values()).count("partial"), target
    for name in set(troubles) - answered:
        assert {"took", "_shards"}.isdisjoint(details[name]), target
        assert details[name]["failures"], target
    places = [hit["_index"].rpartition(":")[0] or "(local)" for hit in answer["hits"]["hits"]]
    giving = {name for name in answered if troubles[name] != "no match"}
    assert {name: places.count(name) for name in set(places)} == dict.fromkeys(giving, GOOD), target
    assert answer["hits"]["total"]["value"] == GOOD * len(giving), target
