"""The cluster settings: scopes, removal, the answer, durability, announcement."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from sealane.cluster.serial import Serial
from sealane.cluster.settings_service import ClusterSettings
from sealane.cluster.store import MemoryStateStore
from sealane.errors import ActionRequestValidation, ApiError, IllegalArgument
from sealane.settings import AffixSetting, Registry, Setting, Settings, as_bool, as_int, as_list
from sealane.settings.node_settings import NODE_SETTINGS, SEARCH_MAX_BUCKETS

SEEDS = AffixSetting[tuple[str, ...]](
    prefix="cluster.remote.", suffix="seeds", default=(), parse=as_list, dynamic=True
)
SKIP = AffixSetting[bool](
    prefix="cluster.remote.", suffix="skip_unavailable", default="true", parse=as_bool, dynamic=True
)
SECRET = Setting[int](key="a.secret", default="1", parse=as_int(), secret=True)


def enabled_only(settings: Settings) -> Iterator[ApiError]:
    for alias in SKIP.namespaces(settings):
        if not SEEDS.get(settings, alias):
            yield IllegalArgument(f"Cannot configure setting [{SKIP.key(alias)}]")


REGISTRY = Registry([*NODE_SETTINGS, SEEDS, SKIP, SECRET], [enabled_only])
FILE = Settings({"cluster.name": "eu", "search.max_buckets": "7", "a.secret": "5"})


@pytest.fixture
async def serial() -> AsyncIterator[Serial]:
    async with Serial() as serial:
        yield serial


@pytest.fixture
def store() -> MemoryStateStore:
    return MemoryStateStore()


@pytest.fixture
def settings(store: MemoryStateStore, serial: Serial) -> ClusterSettings:
    return ClusterSettings(store=store, registry=REGISTRY, node=FILE, serial=serial)


async def test_transient_beats_persistent_beats_file(settings: ClusterSettings) -> None:
    """C-30"""
    assert settings.get(SEARCH_MAX_BUCKETS) == 7
    assert settings.origin("search.max_buckets") == "file"
    await settings.update(
        {"persistent": {"search.max_buckets": 8}, "transient": {"search.max_buckets": 9}}
    )
    assert settings.get(SEARCH_MAX_BUCKETS) == 9
    await settings.update({"transient": {"search.max_buckets": None}})
    assert settings.get(SEARCH_MAX_BUCKETS) == 8
    assert settings.origin("search.max_buckets") == "persistent"
    await settings.update({"persistent": {"search.max_buckets": None}})
    assert settings.get(SEARCH_MAX_BUCKETS) == 7


@pytest.mark.parametrize(
    "body", [{}, {"persistent": {}}, {"foo": {}}, [], {"persistent": {"cluster.metadata.q": {}}}]
)
async def test_a_body_that_sets_nothing_is_refused(settings: ClusterSettings, body: Any) -> None:
    with pytest.raises(ActionRequestValidation) as raised:
        await settings.update(body)
    assert raised.value.reason == "Validation Failed: 1: no settings to update;"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("x", "java.lang.String"),
        ([1], "java.util.ArrayList"),
        (2**31 - 1, "java.lang.Integer"),
        (-(2**31), "java.lang.Integer"),
        (2**31, "java.lang.Long"),
        (-(2**63), "java.lang.Long"),
        (2**63, "java.math.BigInteger"),
    ],
)
async def test_a_scope_that_is_no_object_is_the_references_500(
    settings: ClusterSettings, value: Any, name: str
) -> None:
    with pytest.raises(ApiError) as raised:
        await settings.update({"persistent": value})
    assert (raised.value.status, raised.value.es_type) == (500, "class_cast_exception")
    assert raised.value.reason.startswith(f"class {name} cannot be cast to class java.util.Map")


async def test_a_null_scope_is_the_references_500(settings: ClusterSettings) -> None:
    with pytest.raises(ApiError) as raised:
        await settings.update({"persistent": None})
    assert raised.value.status == 500
    assert raised.value.reason == "Failed to load settings from [null]"


async def test_the_answer_echoes_what_was_given_as_text(settings: ClusterSettings) -> None:
    """C-32: values are strings; removed keys are not shown."""
    body = {
        "persistent": {
            "cluster.remote.b": {"seeds": ["a:1"], "skip_unavailable": True},
            "search.max_buckets": None,
        },
        "transient": {"cluster.metadata.a": 1.0},
    }
    assert await settings.update(body) == {
        "acknowledged": True,
        "persistent": {
            "cluster": {"remote": {"b": {"seeds": ["a:1"], "skip_unavailable": "true"}}}
        },
        "transient": {"cluster": {"metadata": {"a": "1.0"}}},
    }
    again = await settings.update(body, flat=True)
    assert again["persistent"] == {
        "cluster.remote.b.seeds": ["a:1"],
        "cluster.remote.b.skip_unavailable": "true",
    }


async def test_nested_and_dotted_bodies_give_the_same_state(settings: ClusterSettings) -> None:
    """C-31"""
    await settings.update({"persistent": {"cluster": {"remote": {"b": {"seeds": "a:1"}}}}})
    nested = settings.persistent
    await settings.update({"persistent": {"cluster.remote.b.seeds": "a:1"}})
    assert settings.persistent == nested


async def test_a_wildcard_removes_what_matches_in_its_scope(settings: ClusterSettings) -> None:
    """C-25, C-26"""
    for scope in ("persistent", "transient"):
        await settings.update(
            {scope: {f"cluster.remote.{a}.seeds": "h:1" for a in ("b", "bb", "c")}}
        )
    answer = await settings.update({"persistent": {"cluster.remote.b.*": None}})
    assert answer == {"acknowledged": True, "persistent": {}, "transient": {}}
    assert SEEDS.namespaces(settings.persistent) == ("bb", "c")
    assert SEEDS.namespaces(settings.transient) == ("b", "bb", "c")
    await settings.update({"persistent": {"cluster.remote.*": None}})
    assert SEEDS.namespaces(settings.persistent) == ()


async def test_removing_what_others_need_is_refused(settings: ClusterSettings) -> None:
    """C-27"""
    await settings.update(
        {"persistent": {"cluster.remote.b": {"seeds": "a:1", "skip_unavailable": "false"}}}
    )
    with pytest.raises(IllegalArgument):
        await settings.update({"persistent": {"cluster.remote.b.seeds": None}})
    assert SEEDS.namespaces(settings.current) == ("b",)


async def test_a_rule_is_met_by_another_scope(settings: ClusterSettings) -> None:
    await settings.update({"persistent": {"cluster.remote.b.seeds": "a:1"}})
    await settings.update({"transient": {"cluster.remote.b.skip_unavailable": "false"}})
    assert SKIP.get(settings.current, "b") is False


async def test_a_refused_change_changes_nothing_at_all(
    settings: ClusterSettings, store: MemoryStateStore
) -> None:
    with pytest.raises(IllegalArgument) as raised:
        await settings.update(
            {"persistent": {"search.max_buckets": 1, "x1": 1}, "transient": {"x2": 1}}
        )
    # Both scopes are wrong; the reference judges transient first.
    assert raised.value.reason == "transient setting [x2], not recognized"
    assert settings.current == FILE
    assert await store.version() == 0


async def test_persistent_settings_survive_a_restart_and_transient_ones_do_not(
    settings: ClusterSettings, store: MemoryStateStore, serial: Serial
) -> None:
    await settings.update(
        {"persistent": {"cluster.remote.b.seeds": ["a:1"]}, "transient": {"search.max_buckets": 1}}
    )
    again = ClusterSettings(store=store, registry=REGISTRY, node=FILE, serial=serial)
    await again.load()
    assert again.persistent == Settings({"cluster.remote.b.seeds": ("a:1",)})
    assert len(again.transient) == 0
    await again.update({"persistent": {"search.max_buckets": 3}})
    assert again.get(SEARCH_MAX_BUCKETS) == 3


async def test_a_stored_setting_not_known_any_more_is_put_aside(
    store: MemoryStateStore, serial: Serial, caplog: pytest.LogCaptureFixture
) -> None:
    await store.compare_and_set(
        {"cluster/settings": b'{"gone.setting":"1","search.max_buckets":"abc"}'}, {}
    )
    settings = ClusterSettings(store=store, registry=REGISTRY, node=FILE, serial=serial)
    with caplog.at_level(logging.WARNING):
        await settings.load()
    assert settings.persistent == Settings(
        {"archived.gone.setting": "1", "archived.search.max_buckets": "abc"}
    )
    assert settings.get(SEARCH_MAX_BUCKETS) == 7
    await settings.update({"persistent": {"archived.*": None}})
    assert len(settings.persistent) == 0


async def test_subscribers_hear_of_each_change_of_what_is_in_force(
    settings: ClusterSettings,
) -> None:
    heard: list[tuple[str | None, str | None]] = []
    buckets: list[int] = []
    stop = settings.subscribe(
        lambda old, new: heard.append(
            (old.text("search.max_buckets"), new.text("search.max_buckets"))
        )
    )
    settings.on_change(SEARCH_MAX_BUCKETS, buckets.append)
    await settings.update({"persistent": {"search.max_buckets": 8}})
    await settings.update({"persistent": {"search.max_buckets": 8}})
    await settings.update({"persistent": {"cluster.metadata.a": 8}})
    stop()
    await settings.update({"persistent": {"search.max_buckets": 9}})
    assert heard == [("7", "8"), ("8", "8")]
    assert buckets == [8, 9]


async def test_a_failing_subscriber_does_not_keep_others_from_the_news(
    settings: ClusterSettings, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Settings] = []

    def fail(old: Settings, new: Settings) -> None:
        raise ValueError("broken consumer")

    settings.subscribe(fail)
    settings.subscribe(lambda old, new: heard.append(new))
    await settings.update({"transient": {"search.max_buckets": 8}})
    assert len(heard) == 1
    assert "broken consumer" in caplog.text


async def test_concurrent_changes_are_all_kept(settings: ClusterSettings) -> None:
    async with asyncio.TaskGroup() as group:
        for n in range(20):
            group.create_task(settings.update({"persistent": {f"cluster.metadata.k{n}": str(n)}}))
    assert len(settings.persistent) == 20


async def test_the_view_shows_scopes_and_defaults_without_secrets(
    settings: ClusterSettings,
) -> None:
    await settings.update({"persistent": {"search.max_buckets": 8}})
    view = settings.view(flat=True, include_defaults=True)
    assert view["persistent"] == {"search.max_buckets": "8"}
    assert view["transient"] == {}
    assert view["defaults"]["cluster.name"] == "eu"
    assert view["defaults"]["http.port"] == "9200"
    assert "search.max_buckets" not in view["defaults"]
    assert "a.secret" not in view["defaults"]
    assert settings.view() == {"persistent": {"search": {"max_buckets": "8"}}, "transient": {}}
