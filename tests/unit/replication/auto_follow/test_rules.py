"""What a rule does about the indices of its remote."""

from typing import Any

import pytest

from sealane.errors import IllegalArgument
from sealane.model.followers import AutoFollowPattern
from sealane.model.replication import Following, IndexSummary, LeaderCluster
from sealane.replication.auto_follow.rules import (
    ABSENT_MAX,
    Follow,
    Handled,
    Refused,
    already_there,
    check_pattern_name,
    decide,
    follower_names,
    is_match,
    remembered,
)

LOCAL = "local-uuid"


def _pattern(*patterns: str, name: str = "p", **members: Any) -> AutoFollowPattern:
    return AutoFollowPattern(
        name=name, remote_cluster="eu", leader_index_patterns=patterns, **members
    )


def _index(name: str, **members: Any) -> IndexSummary:
    return IndexSummary(name=name, uuid=f"uuid-of-{name}", **members)


def _cluster(*indices: IndexSummary) -> LeaderCluster:
    return LeaderCluster(name="eu-cluster", uuid="eu-uuid", metadata_version=7, indices=indices)


def _nobody(name: str) -> Following | None:
    return None


def _decided(
    *patterns: AutoFollowPattern, indices: tuple[IndexSummary, ...], following: Any = _nobody
) -> list[Follow | Handled | Refused]:
    active = [each for each in patterns if each.active]
    return list(decide(active, patterns, _cluster(*indices), local_uuid=LOCAL, following=following))


def test_an_index_that_a_rule_names_is_followed_under_its_own_name() -> None:
    """R-76: a new matching index is followed."""
    (found,) = _decided(_pattern("logs-*"), indices=(_index("logs-1"), _index("metrics-1")))
    assert isinstance(found, Follow)
    assert found.request.index == found.request.leader_index == "logs-1"
    assert found.request.remote_cluster == "eu"
    assert found.request.data_stream_name is None


def test_what_a_rule_has_dealt_with_is_not_looked_at_again() -> None:
    """R-76: those that were there already are left alone."""
    pattern = _pattern("logs-*", followed=("uuid-of-logs-1",))
    assert _decided(pattern, indices=(_index("logs-1"),)) == []


def test_exclusions_win() -> None:
    """R-77: an index that an exclusion names is not followed, by its name or its stream's."""
    pattern = _pattern("*", leader_index_exclusion_patterns=("*-copy", "private"))
    assert not is_match(pattern, _index("logs-copy"))
    assert not is_match(pattern, _index(".ds-private-2026.01.01-000001", data_stream="private"))
    assert is_match(pattern, _index("logs"))


@pytest.mark.parametrize("members", [{"open": False}, {"is_ready": False}, {"is_system": True}])
def test_an_index_that_cannot_be_followed_now_is_passed_over(members: dict[str, bool]) -> None:
    assert _decided(_pattern("*"), indices=(_index("logs", **members),)) == []


def test_a_template_renames() -> None:
    """R-78: `{{leader_index}}` is the name of the leader index."""
    assert follower_names("eu-{{leader_index}}-copy", _index("logs")) == ("eu-logs-copy", None)
    assert follower_names(None, _index("logs")) == ("logs", None)


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("{{leader_index}}_copy", (".ds-logs_copy-2022.02.02-000001", "logs_copy")),
        ("{{leader_index}}", (".ds-logs-2022.02.02-000001", "logs")),
        (None, (".ds-logs-2022.02.02-000001", "logs")),
    ],
)
def test_in_a_backing_index_the_template_renames_the_stream(
    template: str | None, wanted: tuple[str, str]
) -> None:
    """R-78: a backing index keeps its form, and the stream gets the name."""
    index = _index(".ds-logs-2022.02.02-000001", data_stream="logs")
    assert follower_names(template, index) == wanted


def test_an_index_that_was_put_into_a_stream_is_renamed_as_any_other() -> None:
    found = follower_names("{{leader_index}}_copy", _index("old", data_stream="logs"))
    assert found == ("old_copy", "logs_copy")


def test_a_backing_name_of_another_form_is_refused() -> None:
    """R-78: what cannot be renamed by the rule is told, and nothing is guessed."""
    with pytest.raises(IllegalArgument, match="could not be parsed"):
        follower_names("{{leader_index}}_copy", _index(".ds-logs-000001", data_stream="logs"))


def test_an_index_that_two_rules_name_is_followed_by_neither() -> None:
    """R-79: both get an error."""
    found = _decided(
        _pattern("logs-*", name="a"), _pattern("*-1", name="b"), indices=(_index("logs-1"),)
    )
    assert [type(each) for each in found] == [Refused, Refused]
    first, second = found
    assert isinstance(first, Refused)
    assert isinstance(second, Refused)
    assert first.error.reason == (
        "index to follow [logs-1] for pattern [a] matches with other patterns [[b]]"
    )
    assert second.error.reason == (
        "index to follow [logs-1] for pattern [b] matches with other patterns [[a]]"
    )


def test_a_paused_rule_counts_among_those_that_name_an_index() -> None:
    """R-79: which of two rules is paused does not decide what an index is called."""
    (found,) = _decided(
        _pattern("logs-*", name="a"),
        _pattern("*", name="b", active=False),
        indices=(_index("logs-1"),),
    )
    assert isinstance(found, Refused)


def test_an_index_without_soft_deletes_is_told_once() -> None:
    (found,) = _decided(_pattern("*"), indices=(_index("old", soft_deletes=False),))
    assert isinstance(found, Handled)
    assert found.error is not None
    assert "soft deletes are not enabled" in found.error.reason


def test_what_comes_from_here_is_not_followed_back() -> None:
    """R-85: rules in both directions make no loop, even where nobody thought of exclusions."""
    (found,) = _decided(_pattern("*"), indices=(_index("a-copy", origins=(LOCAL, "eu-uuid")),))
    assert isinstance(found, Handled)
    assert found.error is not None
    assert "come from this cluster" in found.error.reason


def test_what_is_followed_already_is_only_noted() -> None:
    """R-86: a start after a follow that was not noted yet does not follow again."""

    def following(name: str) -> Following | None:
        if name != "logs":
            return None
        return Following(
            remote_cluster="eu",
            leader_index="logs",
            leader_uuid="uuid-of-logs",
            history_uuids=("h",),
        )

    (found,) = _decided(_pattern("*"), indices=(_index("logs"),), following=following)
    assert found == Handled(_pattern("*"), _index("logs"))


def test_a_recreated_leader_is_a_new_index() -> None:
    """R-83: the follower of the one that was deleted does not stand for it."""

    def following(name: str) -> Following | None:
        return Following(
            remote_cluster="eu", leader_index="logs", leader_uuid="old", history_uuids=("h",)
        )

    (found,) = _decided(_pattern("*"), indices=(_index("logs"),), following=following)
    assert isinstance(found, Follow)


def test_a_new_rule_leaves_alone_what_is_there() -> None:
    """R-76: as the reference, unless existing ones are included."""
    cluster = _cluster(_index("logs-1"), _index("metrics-1"))
    assert already_there(_pattern("logs-*"), None, cluster) == ("uuid-of-logs-1",)
    assert already_there(_pattern("logs-*", include_existing=True), None, cluster) == ()


def test_a_rule_that_is_put_again_leaves_alone_what_its_new_patterns_name() -> None:
    cluster = _cluster(_index("logs-1"), _index("logs-2"), _index("metrics-1"))
    before = _pattern("logs-*", followed=("uuid-of-logs-1", "uuid-of-gone"))
    after = _pattern("logs-*", "metrics-*")
    # logs-2 came while the rule was paused: it is followed when the rule is put again.
    assert already_there(after, before, cluster) == (
        "uuid-of-logs-1",
        "uuid-of-gone",
        "uuid-of-metrics-1",
    )


def test_what_the_leader_shows_no_more_is_remembered_for_long() -> None:
    """R-76: it may be deleted, or hidden for a while; of too many the oldest are forgotten."""
    shown = _cluster(_index("a"))
    absent = tuple(f"gone-{number}" for number in range(ABSENT_MAX))
    assert remembered(("uuid-of-a", *absent), shown) == ("uuid-of-a", *absent)
    assert remembered(("uuid-of-a", *absent, "gone"), shown) == ("uuid-of-a", *absent[1:], "gone")


@pytest.mark.parametrize(
    ("name", "gist"),
    [
        ("a,b", "must not contain a ','"),
        ("_a", "must not start with '_'"),
        ("ä" * 128, "name is too long (256 > 255)"),
    ],
)
def test_names_of_rules_are_judged(name: str, gist: str) -> None:
    """R-25: a comma, a leading underscore, more than 255 bytes."""
    wrong = check_pattern_name(name)
    assert wrong is not None
    assert gist in wrong


def test_a_name_of_255_bytes_is_taken() -> None:
    """R-25: the limit itself is allowed."""
    assert check_pattern_name("ä" * 127 + "a") is None
