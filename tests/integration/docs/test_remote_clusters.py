"""The pages that take an operator from nothing to a secured remote cluster, and from one model to the other: what is
pasted from them works, in both modes.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.integration.docs.pages import Output, Page, run

_KEY_PAGE, _CERT_PAGE, _MIGRATION = (
    "remote-clusters-api-key.md",
    "remote-clusters-cert.md",
    "migrate-to-api-keys.md",
)
_TAKE_DOWN = "kill %1 %2; wait\n"
_SEARCHES = """
( while [ ! -e enough ]; do curl -sS -u ann:ann-password '{url}/east:logs-*/_search'; echo; done > searches ) &
until [ -s searches ]; do sleep 0.1; done
"""
_ENOUGH = "touch enough; wait %?enough\n"


def found(answer: Any) -> list[str]:
    """The hits of a search."""
    return [hit["_index"] for hit in answer["hits"]["hits"]]


def only(output: Output, wanted: str) -> list[Any]:
    """The answers that have this member."""
    return [each for each in output.answers() if wanted in each]


def remote(output: Output) -> Any:
    """What `_remote/info` says of east."""
    (info,) = only(output, "east")
    return info["east"]


def test_with_a_key(tmp_path: Path) -> None:
    """X-32, X-69: from an empty folder to a search, in proxy and in sniff mode, as a superuser and as a user."""
    blocks = Page(_KEY_PAGE).blocks("## Ten minutes")
    assert blocks[-1] == _TAKE_DOWN
    east, key, west, proxy, sniff, user, _ = run(blocks, tmp_path)
    (ready,) = only(east, "event")
    assert ready["remote_cluster"]
    assert "encoded" not in key.text
    (ready,) = only(west, "event")
    assert ready["security"] is True
    assert "ok: [east] connects to cluster [east]" in proxy.text
    for output, mode in ((proxy, "proxy"), (sniff, "sniff")):
        info = remote(output)
        assert (info["connected"], info["mode"]) == (True, mode)
        assert info["cluster_credentials"] == "::es_redacted::"
        (answer,) = only(output, "hits")
        assert found(answer) == ["east:logs-1"]
    (answer,) = only(user, "hits")
    assert found(answer) == ["east:logs-1"]


def test_with_certificates(tmp_path: Path) -> None:
    """X-75: the same with certificates; the role of that name on the searched cluster decides."""
    blocks = Page(_CERT_PAGE).blocks("## Ten minutes")
    assert blocks[-1] == _TAKE_DOWN
    nodes, proxy, sniff, user, _ = run(blocks, tmp_path)
    assert [each["remote_cluster"] for each in only(nodes, "event")] == [None, None]
    assert "ok: [east] connects to cluster [east]" in proxy.text
    for output, mode in ((proxy, "proxy"), (sniff, "sniff")):
        info = remote(output)
        assert (info["connected"], info["mode"]) == (True, mode)
        assert "cluster_credentials" not in info
        (answer,) = only(output, "hits")
        assert found(answer) == ["east:logs-1"]
    (answer,) = only(user, "hits")
    assert found(answer) == ["east:logs-1"]


@pytest.mark.slow
def test_from_one_to_the_other(tmp_path: Path) -> None:
    """X-83: who searches all the while loses at most what is under way at the moment of a change; so also on the way
    back, and at the end, when certificates are refused."""
    before = Page(_CERT_PAGE)
    page = Page(_MIGRATION, before.ports)
    blocks = before.blocks("## Ten minutes")[:-1]
    prepared = page.blocks("## Prepare")
    changes = [
        block
        for heading in ("## Change over", "## The way back", "## The end")
        for block in page.blocks(heading)
    ]
    watched = [_SEARCHES.format(url=f"localhost:{before.ports['9200']}"), *changes, _ENOUGH]
    outputs = run([*blocks, *prepared, *watched, "cat searches\n"], tmp_path)
    looked = outputs[len(blocks) + len(prepared) - 1]
    assert only(looked, "east")[0]["east"]["security_model"] == "certificate"
    assert "keystore" in looked.text
    *_, _, over, back, end, _, searches = outputs
    assert remote(over)["cluster_credentials"] == "::es_redacted::"
    assert "cluster_credentials" not in remote(back)
    for output in (over, back, end):
        (answer,) = only(output, "hits")
        assert found(answer) == ["east:logs-1"]
    answers = searches.answers()
    lost = [each for each in answers if found(each) != ["east:logs-1"]]
    assert len(answers) > len(changes)
    assert len(lost) <= len(changes), lost
    assert all(each["_clusters"]["skipped"] for each in lost), lost
