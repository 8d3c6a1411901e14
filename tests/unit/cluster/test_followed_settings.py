"""The settings of a node that follows a master's."""

from sealane.cluster.followed_settings import FollowedSettings
from sealane.remote import REMOTE_RULES, REMOTE_SETTINGS
from sealane.settings import Registry, Settings
from sealane.settings import node_settings as keys
from tests.unit.cluster.states import state

REGISTRY = Registry((*keys.NODE_SETTINGS, *REMOTE_SETTINGS), REMOTE_RULES)
BUCKETS = keys.SEARCH_MAX_BUCKETS


def followed(**file: str) -> FollowedSettings:
    return FollowedSettings(
        Settings({key.replace("__", "."): value for key, value in file.items()}), REGISTRY
    )


def test_before_the_first_state_its_own_file_is_in_force() -> None:
    settings = followed(search__max_buckets="7")
    assert settings.get(BUCKETS) == 7
    assert settings.origin(BUCKETS.key) == "file"
    assert settings.origin("cluster.metadata.x") is None


def test_transient_is_over_persistent_is_over_the_file() -> None:
    settings = followed(search__max_buckets="7")
    settings.take(state(persistent={BUCKETS.key: "8"}))
    assert (settings.get(BUCKETS), settings.origin(BUCKETS.key)) == (8, "persistent")
    settings.take(state(persistent={BUCKETS.key: "8"}, transient={BUCKETS.key: "9"}))
    assert (settings.get(BUCKETS), settings.origin(BUCKETS.key)) == (9, "transient")
    settings.take(state())
    assert settings.get(BUCKETS) == 7


def test_whoever_follows_hears_of_changes_of_what_is_in_force_only() -> None:
    settings = followed()
    heard: list[int] = []
    stop = settings.subscribe(lambda old, new: heard.append(BUCKETS.get(new)))
    settings.take(state(persistent={BUCKETS.key: "8"}))
    settings.take(state("g", persistent={BUCKETS.key: "8"}, version=2))
    settings.take(state(persistent={BUCKETS.key: "9"}, transient={BUCKETS.key: "8"}))
    stop()
    settings.take(state())
    assert heard == [8]


def test_a_failing_listener_keeps_nothing_from_the_others() -> None:
    settings = followed()
    heard: list[int] = []

    def fails(old: Settings, new: Settings) -> None:
        raise ValueError("mine")

    settings.subscribe(fails)
    settings.subscribe(lambda old, new: heard.append(BUCKETS.get(new)))
    settings.take(state(persistent={BUCKETS.key: "8"}))
    assert heard == [8]


def test_what_does_not_go_with_the_file_leaves_everything_as_it_was() -> None:
    settings = followed(
        cluster__remote__a__mode="proxy", cluster__remote__a__proxy_address="127.0.0.1:1"
    )
    before = settings.current
    settings.take(state(persistent={"cluster.remote.a.seeds": ("h:1",), BUCKETS.key: "8"}))
    assert settings.current == before
    assert settings.last_error is not None
    assert "cluster.remote.a" in settings.last_error.reason
    settings.take(state(persistent={BUCKETS.key: "8"}, version=2))
    assert settings.last_error is None
    assert settings.get(BUCKETS) == 8


def test_what_this_release_does_not_know_or_may_not_change_is_left_out() -> None:
    settings = followed()
    settings.take(
        state(
            persistent={
                "from.the.future": "1",
                "archived.old": "1",
                "cluster.name": "another",
                BUCKETS.key: "8",
            }
        )
    )
    assert settings.last_error is None
    assert dict(settings.current) == {BUCKETS.key: "8"}
