"""Names on several clusters, by somebody's rights: against the answers of 8.19.0 to limited users."""

from collections.abc import Iterable

import pytest

from sealane.errors import NoSuchRemoteCluster, SecurityError
from sealane.model.access import bound
from sealane.model.search import IndicesOptions
from sealane.search.expression import ClusterTarget
from sealane.search.named_clusters import clusters_named
from tests.unit.cluster.test_access import Rights

READS = Rights(("logs-1",))
NOTHING = Rights(())
STRICT, LENIENT = IndicesOptions(), IndicesOptions(ignore_unavailable=True)


def aliases() -> tuple[str, ...]:
    return ("kb", "kf")


def named(
    text: str, rights: Rights | None, options: IndicesOptions = STRICT
) -> Iterable[ClusterTarget]:
    with bound(rights):
        return clusters_named(text.split(","), aliases, options)


@pytest.mark.parametrize("text", ["nope:logs-1", "nope:logs-1,logs-1", "k*:logs-1,-nope:*"])
@pytest.mark.parametrize("rights", [READS, NOTHING])
def test_a_cluster_that_is_not_there_is_a_denial_with_that_cause(text: str, rights: Rights) -> None:
    """Who asks learns which clusters there are by their rights alone."""
    with pytest.raises(SecurityError) as caught:
        named(text, rights)
    body = caught.value.to_body()
    missing = {
        "type": "no_such_remote_cluster_exception",
        "reason": "no such remote cluster: [nope]",
    }
    assert caught.value.reason == "[indices:data/read/search] on []"
    assert body["error"]["caused_by"] == missing
    assert body["error"]["root_cause"] == [missing]
    assert body["status"] == 403


def test_without_security_it_is_missing() -> None:
    with pytest.raises(NoSuchRemoteCluster):
        named("nope:logs-1", None)


def test_a_pattern_of_no_cluster_finds_nothing_for_who_may_search_anything() -> None:
    assert named("nope*:logs-1", READS) == ()
    assert named("nope*:logs-1", None) == ()
    with pytest.raises(SecurityError, match=r"on \[\]$"):
        named("nope*:logs-1", NOTHING)


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("logs-2,kf:logs-1", "logs-2,kf:logs-1"),
        ("kf:logs-1,logs-2", "logs-2,kf:logs-1"),
        ("private-1,logs-1,kf:logs-1", "private-1,kf:logs-1"),
        ("logs-2,kf:logs-*", "logs-2,kf:logs-*"),
        ("logs-2,k*:logs-1,-kf:*", "logs-2,kb:logs-1"),
        ("logs-2,private-*,kf:logs-1,kb:private-1", "logs-2,kf:logs-1,kb:private-1"),
        ("missing,kf:logs-1", "missing,kf:logs-1"),
        ("logs-2,nope*:logs-1", "logs-2"),
    ],
)
def test_a_denial_here_shows_the_names_there(text: str, listed: str) -> None:
    with pytest.raises(SecurityError) as caught:
        named(text, READS)
    assert caught.value.reason == f"[indices:data/read/search] on [{listed}]"


@pytest.mark.parametrize("text", ["private-*,kf:logs-1", "*,kf:logs-1", "*,-logs-2,kf:logs-1"])
def test_patterns_are_for_the_cluster_to_judge(text: str) -> None:
    assert named(text, NOTHING) == named(text, None)


def test_what_may_be_unavailable_is_not_denied() -> None:
    assert named("logs-2,kf:logs-1", NOTHING, LENIENT) == named("logs-2,kf:logs-1", None)
