"""Whatever leaders and users do, and in whatever order a leader's answers come, a follower ends as its leader is."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sealane.cluster.following_metadata import brought_to, new_follower
from sealane.cluster.following_settings import is_replicated, replicated
from sealane.cluster.index_changes import with_settings
from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.cluster.self_replicated import check_settings_are_own
from sealane.errors import ApiError
from sealane.model.replication import LeaderAlias, LeaderIndex
from tests.unit.cluster.index_node import check_filter, properties
from tests.unit.cluster.leaders import following, leader

NAMES = ("a", "b", "c")
SETTINGS: dict[str, tuple[str, ...]] = {
    "index.mapping.depth.limit": ("5", "6"),
    "index.mapping.coerce": ("true", "false"),
    "index.refresh_interval": ("1s", "2s"),
    "index.number_of_replicas": ("0", "1"),
    "index.of_a_plugin": ("x", "y"),
}

some_settings = st.fixed_dictionaries(
    {}, optional={key: st.sampled_from(values) for key, values in SETTINGS.items()}
)
some_aliases = st.dictionaries(
    st.sampled_from(NAMES),
    st.builds(LeaderAlias, index_routing=st.sampled_from((None, "1", "2"))),
)
changes = st.lists(
    st.one_of(
        st.tuples(st.just("settings"), some_settings),
        st.tuples(st.just("aliases"), some_aliases),
        st.tuples(st.just("field"), st.sampled_from(NAMES)),
    ),
    max_size=8,
)
local_changes = st.dictionaries(
    st.sampled_from([key for key in SETTINGS if "plugin" not in key]),
    st.sampled_from(("1", "5", "1s", "true")),
    max_size=2,
)


def lives(made: list[tuple[str, Any]]) -> list[LeaderIndex]:
    """The leader after each change."""
    versions = {"settings": 1, "aliases": 1, "field": 1}
    members: dict[str, Any] = {"settings": {}, "aliases": {}}
    fields = ["f"]
    states = []
    for what, value in [("settings", {}), *made]:
        versions[what] += 1
        if what == "field":
            fields.append(value)
        else:
            members[what] = value
        states.append(
            leader(
                settings=dict(members["settings"]),
                aliases=members["aliases"],
                mapping=properties(**dict.fromkeys(fields, "keyword")),
                mapping_version=versions["field"],
                settings_version=versions["settings"],
                aliases_version=versions["aliases"],
            )
        )
    return states


def by_user(index: IndexMetadata, wanted: dict[str, str]) -> IndexMetadata:
    """What a user gets who asks for these settings of a closed follower."""
    try:
        changed = with_settings([index.changed(open=False)], wanted)
        check_settings_are_own([index], changed)
    except ApiError:
        return index
    return changed[0].changed(open=True) if changed else index


@given(made=changes, user=st.lists(local_changes, max_size=8), data=st.data())
def test_a_follower_ends_as_its_leader(
    made: list[tuple[str, Any]], user: list[dict[str, str]], data: st.DataObject
) -> None:
    """R-29, R-32, R-34, R-35: local settings are what they were or what the user made them."""
    states = lives(made)
    first, last = states[0], states[-1]
    index = new_follower(
        ClusterMetadata(),
        "copy",
        first,
        {},
        following(first),
        uuid="u",
        now_ms=1,
        check_filter=check_filter,
    )
    answers = data.draw(st.lists(st.sampled_from(states), max_size=8), label="answers")
    for number, answer in enumerate([*answers, last, *answers]):
        if number < len(user):
            index = by_user(index, user[number])
        meta = ClusterMetadata([index])
        own = {key: value for key, value in index.settings.items() if not is_replicated(key)}
        before, index = index, brought_to(meta, index, answer, check_filter).index
        assert {k: v for k, v in index.settings.items() if not is_replicated(k)} == own
        for version in ("mapping_version", "settings_version", "aliases_version"):
            assert 0 <= getattr(index, version) - getattr(before, version) <= 1
    assert replicated(index.settings) == replicated(last.settings)
    assert {name: each.index_routing for name, each in index.aliases.items()} == {
        name: each.index_routing for name, each in last.aliases.items()
    }
    assert set(index.mapping.fields) == {"f", *(name for what, name in made if what == "field")}
    assert brought_to(ClusterMetadata([index]), index, last, check_filter).index is index
