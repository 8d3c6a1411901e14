"""The registry: names, suggestions, and how changes are judged."""

from collections.abc import Iterable, Iterator

import pytest

from sealane.errors import ApiError, IllegalArgument
from sealane.settings import (
    AffixSetting,
    Registry,
    Scope,
    Setting,
    Settings,
    Value,
    as_bool,
    as_int,
    as_list,
    as_text,
)
from sealane.settings.node_settings import (
    NODE_ROLES,
    NODE_SETTINGS,
    REMOTE_CLUSTER_HOST,
    SEARCH_MAX_BUCKETS,
)

SEEDS = AffixSetting[tuple[str, ...]](
    prefix="cluster.remote.", suffix="seeds", default=(), parse=as_list, dynamic=True
)
SKIP = AffixSetting[bool](
    prefix="cluster.remote.",
    suffix="skip_unavailable",
    default="true",
    parse=as_bool,
    dynamic=True,
)
CONNECTIONS = AffixSetting[int](
    prefix="cluster.remote.",
    suffix="node_connections",
    default=lambda s, alias: s.get("cluster.remote.connections_per_cluster", "3"),
    parse=as_int(min=1),
    dynamic=True,
)
ATTRIBUTE = Setting[str](key="cluster.remote.node.attr", default="", parse=as_text)
SECRET = Setting[str](key="some.secret", default="x", parse=as_text, secret=True, dynamic=True)
ROWS = Setting[int](key="rows", default="5", parse=as_int(), scope=Scope.INDEX, dynamic=True)


def needs_seeds(settings: Settings) -> Iterator[ApiError]:
    for alias in SKIP.namespaces(settings):
        if not SEEDS.get(settings, alias):
            yield IllegalArgument(
                f"Cannot configure setting [{SKIP.key(alias)}] if remote cluster is not enabled."
            )


REGISTRY = Registry(
    [*NODE_SETTINGS, SEEDS, SKIP, CONNECTIONS, ATTRIBUTE, SECRET, ROWS], [needs_seeds]
)


def judge(
    changes: dict[str, Value | None], before: dict[str, Value], kind: str = "persistent"
) -> None:
    after = {**before, **{k: v for k, v in changes.items() if v is not None}}
    for key, value in changes.items():
        if value is None:
            after.pop(key, None)
    REGISTRY.validate_update(changes, Settings(before), Settings(after), kind=kind)


def test_an_affix_setting_is_found_by_its_namespace() -> None:
    """C-21: aliases are case-sensitive."""
    settings = Settings({"cluster.remote.X.seeds": "a:1", "cluster.remote.x-_9.seeds": "b:2"})
    assert SEEDS.namespaces(settings) == ("X", "x-_9")
    assert SEEDS.get(settings, "X") == ("a:1",)
    assert SEEDS.get(settings, "x") == ()
    found = REGISTRY.get("cluster.remote.X.seeds")
    assert found is not None
    assert found.key == "cluster.remote.X.seeds"


@pytest.mark.parametrize("alias", ["a.b", "a:b", "a b", "a*", "é", "", "(local)", "a,b"])
def test_a_namespace_has_letters_digits_and_dashes(alias: str) -> None:
    """C-20"""
    with pytest.raises(IllegalArgument) as raised:
        judge({f"cluster.remote.{alias}.seeds": "a:1"}, {})
    assert (
        raised.value.reason == f"persistent setting [cluster.remote.{alias}.seeds], not recognized"
    )


@pytest.mark.parametrize("kind", ["persistent", "transient"])
@pytest.mark.parametrize(
    "key", ["foo.bar", "cluster.remote.b.foo", "foo", "", "rows", "search.maxbuckets"]
)
def test_an_unknown_key_is_not_recognized(kind: str, key: str) -> None:
    """C-19"""
    for value in ("1", None):
        with pytest.raises(IllegalArgument) as raised:
            judge({key: value}, {}, kind)
        assert raised.value.reason == f"{kind} setting [{key}], not recognized"


@pytest.mark.parametrize("key", ["cluster.name", "node.attr.x", "some.secret"])
def test_static_and_secret_settings_are_not_updateable(key: str) -> None:
    """C-23, C-24: not through the API, not even to remove them."""
    for value in ("x", None):
        with pytest.raises(IllegalArgument) as raised:
            judge({key: value}, {})
        assert raised.value.reason == f"persistent setting [{key}], not dynamically updateable"


def test_wildcards_remove_and_never_set() -> None:
    judge({"cluster.remote.*": None, "foo.*": None, "archived.x": None}, {})
    with pytest.raises(IllegalArgument, match=r"persistent setting \[foo.\*\], not recognized"):
        judge({"foo.*": "3"}, {})


def test_a_rule_sees_all_scopes_merged() -> None:
    """C-16 and C-27, over the merged view."""
    skip, seeds = "cluster.remote.b.skip_unavailable", "cluster.remote.b.seeds"
    with pytest.raises(IllegalArgument) as raised:
        judge({skip: "true"}, {})
    assert (
        raised.value.reason
        == f"Cannot configure setting [{skip}] if remote cluster is not enabled."
    )
    judge({skip: "true"}, {seeds: "a:1"})
    with pytest.raises(IllegalArgument):
        judge({seeds: None}, {seeds: "a:1", skip: "true"})


def test_several_broken_rules_are_one_error_with_the_others_suppressed() -> None:
    with pytest.raises(IllegalArgument) as raised:
        judge(
            {f"cluster.remote.{a}.skip_unavailable": "true" for a in "abc"},
            {},
        )
    assert "[cluster.remote.a.skip_unavailable]" in raised.value.reason
    assert len(raised.value.suppressed) == 2


def test_what_was_wrong_before_does_not_stop_an_unrelated_change() -> None:
    judge({"search.max_buckets": "5"}, {"cluster.remote.b.skip_unavailable": "true"})


def test_a_nodes_file_may_hold_static_settings_and_no_unknown_ones() -> None:
    REGISTRY.validate(Settings({"cluster.name": "a", "node.attr.rack.row": "1"}))
    with pytest.raises(IllegalArgument) as raised:
        REGISTRY.validate(Settings({"cluster.nam": "a", "what.is.this": "b"}))
    assert raised.value.reason == "unknown setting [cluster.nam] did you mean [cluster.name]?"
    assert [each.reason for each in raised.value.suppressed] == [
        "unknown setting [what.is.this] please check that any required plugins are installed, "
        "or check the breaking changes documentation for removed settings"
    ]


def test_a_suggestion_keeps_the_alias() -> None:
    error = REGISTRY.unknown("cluster.remote.eu.seed")
    assert error.reason == (
        "unknown setting [cluster.remote.eu.seed] did you mean [cluster.remote.eu.seeds]?"
    )


def test_a_bad_value_does_not_hide_a_broken_rule() -> None:
    """All that is wrong is told at one start, as the reference does."""
    remote = "cluster.remote."
    given = {
        "search.max_buckets": "many",
        f"{remote}a.node_connections": "prox",
        f"{remote}a.skip_unavailable": "true",
        f"{remote}b.skip_unavailable": "true",
    }
    with pytest.raises(IllegalArgument) as raised:
        REGISTRY.validate(Settings(given))
    told = [raised.value, *raised.value.suppressed]
    assert [each.reason.split("[")[1].split("]")[0] for each in told] == [
        "prox",
        "many",
        f"{remote}b.skip_unavailable",
    ]


def test_a_rule_that_needs_a_bad_value_says_nothing_more() -> None:
    def rule(settings: Settings) -> Iterable[ApiError]:
        yield IllegalArgument("seen before")
        SEARCH_MAX_BUCKETS.get(settings)
        yield IllegalArgument("not reached")

    registry = Registry(NODE_SETTINGS, [rule])
    with pytest.raises(IllegalArgument) as raised:
        registry.validate(Settings({"search.max_buckets": "many"}))
    assert "many" in raised.value.reason
    assert [each.reason for each in raised.value.suppressed] == ["seen before"]


def test_several_suggestions_come_most_alike_first() -> None:
    registry = Registry(
        [Setting[str](key=key, default="", parse=as_text) for key in ("abcdefgx", "abcdefxx", "z")]
    )
    assert registry.unknown("abcdefgh").reason == (
        "unknown setting [abcdefgh] did you mean any of [abcdefgx, abcdefxx]?"
    )


def test_a_key_where_users_go_wrong_says_what_to_set_instead() -> None:
    """In the node's file and through the API; any other unknown key has the usual text."""

    def advice(key: str) -> str | None:
        return "set [b] here" if key == "cluster.nam" else None

    registry = Registry(NODE_SETTINGS, advice=[advice])
    with pytest.raises(IllegalArgument) as raised:
        registry.validate(Settings({"cluster.nam": "x"}))
    assert raised.value.reason == "unknown setting [cluster.nam], set [b] here"
    with pytest.raises(IllegalArgument) as raised:
        registry.validate_update({"cluster.nam": "x"}, Settings(), Settings(), kind="persistent")
    assert raised.value.reason == "persistent setting [cluster.nam], not recognized, set [b] here"
    assert registry.unknown("cluster.name2").reason.endswith("did you mean [cluster.name]?")


def test_the_first_of_several_wrong_keys_is_told() -> None:
    """By name, as the reference does, whatever their order in the body."""
    with pytest.raises(IllegalArgument) as raised:
        judge({"zzz": "1", "cluster.name": "x", "aaa": "1"}, {})
    assert raised.value.reason == "persistent setting [aaa], not recognized"


def test_defaults_are_shown_but_for_secrets_and_what_is_set() -> None:
    shown = REGISTRY.defaults(Settings({"http.port": "1"}))
    assert shown["transport.port"] == "9300"
    assert "http.port" not in shown
    assert "some.secret" not in shown


def test_a_default_may_follow_another_setting() -> None:
    assert REMOTE_CLUSTER_HOST.get(Settings({"transport.host": "10.0.0.1"})) == ("10.0.0.1",)
    assert REMOTE_CLUSTER_HOST.get(Settings()) == ()
    assert CONNECTIONS.get(Settings({"cluster.remote.connections_per_cluster": "7"}), "b") == 7


def test_every_default_is_valid_and_every_setting_has_help() -> None:
    for setting in NODE_SETTINGS:
        assert setting.help
        if isinstance(setting, Setting) and setting.default_raw(Settings()) is not None:
            setting.get(Settings())


def test_an_unknown_role_is_refused() -> None:
    assert NODE_ROLES.get(Settings({"node.roles": "data, master"})) == ("data", "master")
    assert NODE_ROLES.get(Settings({"node.roles": ()})) == ()
    with pytest.raises(IllegalArgument, match=r"unknown role \[dat\]"):
        NODE_ROLES.get(Settings({"node.roles": "dat"}))
