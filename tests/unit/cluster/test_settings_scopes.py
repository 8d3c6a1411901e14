"""Scopes over each other, and what is told about the one that was not changed."""

from sealane.cluster.settings_scopes import Scopes
from sealane.errors import IllegalArgument
from sealane.settings import Settings

SKIP = "cluster.remote.b.skip_unavailable"
SCOPES = Scopes(
    Settings({"cluster.name": "x", "search.max_buckets": "1", SKIP: "true"}),
    Settings({"search.max_buckets": "2", "archived.old": "1", "cluster.remote.b.seeds": "h:1"}),
    Settings({"cluster.remote.b.seeds": "h:2"}),
)


def test_transient_beats_persistent_beats_file() -> None:
    """C-30; archived settings are never in force."""
    assert SCOPES.in_force() == Settings(
        {
            "cluster.name": "x",
            "search.max_buckets": "2",
            "cluster.remote.b.seeds": "h:2",
            SKIP: "true",
        }
    )


def test_where_a_key_comes_from() -> None:
    keys = ("cluster.remote.b.seeds", "search.max_buckets", "cluster.name", "nothing")
    assert [SCOPES.origin(key) for key in keys] == ["transient", "persistent", "file", None]


def test_a_rule_broken_by_another_scope_says_which() -> None:
    error = IllegalArgument(f"Cannot configure setting [{SKIP}].")
    SCOPES.explain(error, ["persistent"])
    assert error.reason == (
        f"Cannot configure setting [{SKIP}]. [{SKIP}] is set in the node's file."
    )


def test_every_key_is_explained_once_in_suppressed_problems_too() -> None:
    inner = IllegalArgument('"cluster.remote.b.seeds" [cluster.remote.b.seeds] [required=SNIFF]')
    error = IllegalArgument("bad", suppressed=[inner])
    SCOPES.explain(error, ["persistent"])
    assert error.reason == "bad"
    assert inner.reason.endswith(" [cluster.remote.b.seeds] is set in the transient settings.")
    assert inner.reason.count("is set in") == 1


def test_a_rule_broken_by_the_change_itself_keeps_the_references_text() -> None:
    error = IllegalArgument("missing [cluster.remote.b.seeds] for [search.max_buckets]")
    SCOPES.explain(error, ["transient", "persistent"])
    assert error.reason == "missing [cluster.remote.b.seeds] for [search.max_buckets]"
