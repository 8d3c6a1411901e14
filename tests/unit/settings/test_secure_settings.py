"""Secure settings: what a keystore may hold, what of it may change, and what is said of credentials."""

import base64
import logging
from collections.abc import Mapping

import pytest

from sealane.errors import IllegalArgument
from sealane.model.security import Secret
from sealane.node import registry
from sealane.settings import AffixSetting, Registry, Setting, Settings, as_text
from sealane.settings.secure_settings import (
    RemoteCredentials,
    SecureSettings,
    alias_of,
    check_credentials,
    check_secrets,
    missing_credentials_hint,
    unused_credentials,
)

KEY = "cluster.remote.eu.credentials"


def secrets(**texts: str) -> dict[str, Secret]:
    return {name.replace("__", "."): Secret(text) for name, text in texts.items()}


def encoded(key_id: str, secret: str) -> Secret:
    return Secret(base64.b64encode(f"{key_id}:{secret}".encode()).decode())


# -- settings that are secure ------------------------------------------------------------------------------------

PLAIN = Setting[str](key="a.plain", default="x", parse=as_text)
HIDDEN = Setting[str](key="a.hidden", default=None, parse=as_text, secure=True)
FAMILY = AffixSetting[str](prefix="b.", suffix="hidden", default=None, parse=as_text, secure=True)


def test_a_secure_setting_is_read_from_the_keystore_alone() -> None:
    given = Settings({"a.hidden": "shown", "b.one.hidden": "shown"})
    assert not HIDDEN.is_set(given)
    assert not FAMILY.is_set(given, "one")
    assert FAMILY.namespaces(given) == ()
    kept = given.with_secrets(secrets(a__hidden="hush", b__one__hidden="hush too"))
    assert HIDDEN.is_set(kept)
    assert HIDDEN.get(kept) == "hush"
    assert FAMILY.namespaces(kept) == ("one",)
    assert FAMILY.is_set(kept, "one")
    assert FAMILY.get(kept, "one") == "hush too"
    assert FAMILY.concrete("one").get(kept) == "hush too"


def test_a_plain_setting_is_not_read_from_the_keystore() -> None:
    assert PLAIN.get(Settings().with_secrets(secrets(a__plain="hush"))) == "x"


def test_secrets_stay_with_settings_made_of_these_and_out_of_all_they_show() -> None:
    """T-33: neither as text, nor as JSON, nor by iterating."""
    kept = Settings({"c": "1"}).with_secrets(secrets(a__hidden="hush"))
    for each in (kept, kept.merged({"d": "2"}), kept.filtered(lambda key: True)):
        assert HIDDEN.get(each) == "hush"
        assert "a.hidden" not in each
        assert "hush" not in f"{each} {each!r} {each.to_flat()} {each.to_nested()} {dict(each)}"


def test_one_in_the_file_is_refused() -> None:
    """X-104: the same name in sealane.yml or after -E stops the start."""
    with pytest.raises(IllegalArgument) as refused:
        Registry([PLAIN, HIDDEN]).validate(Settings({"a.hidden": "hush-hush"}))
    assert refused.value.reason == (
        "Setting [a.hidden] is a secure setting and must be stored inside the keystore, "
        "but was found inside the settings"
    )


@pytest.mark.parametrize(
    "key",
    [
        "bootstrap.password",
        "keystore.seed",
        KEY,
        "cluster.remote.eu.signing.keystore.secure_password",
        "cluster.remote.signing.truststore.secure_password",
        "xpack.security.http.ssl.keystore.secure_password",
        "xpack.security.transport.ssl.secure_key_passphrase",
        "xpack.security.remote_cluster_server.ssl.truststore.secure_password",
        "xpack.security.remote_cluster_client.ssl.secure_key_passphrase",
    ],
)
def test_those_that_are_known(key: str) -> None:
    """X-104: each is fine in the keystore, refused in the file, and never changed through the cluster settings."""
    known = registry()
    check_secrets(known, {key: Secret("x")})
    with pytest.raises(IllegalArgument, match="must be stored inside the keystore"):
        known.validate(Settings({key: "x"}))
    with pytest.raises(IllegalArgument, match="not dynamically updateable"):
        known.validate_update({key: "x"}, Settings(), Settings({key: "x"}), kind="persistent")
    assert key not in known.defaults(Settings())


def test_unknown_names_are_listed_with_the_nearest() -> None:
    with pytest.raises(IllegalArgument) as refused:
        check_secrets(
            registry(),
            secrets(cluster__remote__eu__credential="x", nothing__like__it="y", keystore__seed="z"),
        )
    told = [refused.value.reason, *(each.reason for each in refused.value.suppressed)]
    assert told == [
        "unknown secure setting [cluster.remote.eu.credential] did you mean [cluster.remote.eu.credentials]?",
        "unknown secure setting [nothing.like.it] please check that any required plugins are installed, "
        "or check the breaking changes documentation for removed settings",
    ]


def test_a_plain_setting_in_the_keystore_is_refused() -> None:
    with pytest.raises(
        IllegalArgument, match=r"\[cluster.name\] is a non-secure setting and must be"
    ):
        check_secrets(registry(), {"cluster.name": Secret("x")})


# -- their values while the node runs ------------------------------------------------------------------------------


def test_what_changed_is_told() -> None:
    """X-103: added, changed and removed, and nothing where nothing did."""
    secure = SecureSettings(secrets(cluster__remote__a__credentials="1"))
    told: list[tuple[frozenset[str], Mapping[str, Secret | None]]] = []
    secure.on_change(lambda names: told.append((names, {name: secure.get(name) for name in names})))
    a, b = "cluster.remote.a.credentials", "cluster.remote.b.credentials"
    assert secure.replace({a: Secret("1")}) == frozenset()
    assert told == []
    assert secure.replace({a: Secret("2"), b: Secret("3")}) == {a, b}
    assert told.pop() == ({a, b}, {a: Secret("2"), b: Secret("3")})
    assert secure.replace({b: Secret("3")}) == {a}
    assert told.pop() == ({a}, {a: None})
    assert secure.names() == {b}


def test_others_keep_their_values_from_the_start() -> None:
    """Only what is of remote clusters is taken of a keystore that is read again."""
    secure = SecureSettings(secrets(bootstrap__password="1", keystore__seed="2"))
    assert secure.replace(secrets(bootstrap__password="x", http__secure="y")) == frozenset()
    assert secure.get("bootstrap.password") == Secret("1")
    assert secure.names() == {"bootstrap.password", "keystore.seed"}


def test_a_subscriber_that_fails_does_not_keep_others_from_hearing() -> None:
    secure = SecureSettings()
    heard: list[frozenset[str]] = []

    def fail(names: frozenset[str]) -> None:
        raise IllegalArgument(f"no {len(heard)}")

    secure.on_change(fail)
    secure.on_change(heard.append)
    secure.on_change(fail)
    with pytest.raises(IllegalArgument, match="no 0") as failed:
        secure.replace({KEY: Secret("1")})
    assert [each.reason for each in failed.value.suppressed] == ["no 1"]
    assert heard == [{KEY}]
    assert secure.get(KEY) == Secret("1")


def test_the_log_names_what_changed_and_no_value(caplog: pytest.LogCaptureFixture) -> None:
    """T-33."""
    with caplog.at_level(logging.DEBUG):
        SecureSettings().replace({KEY: Secret("hush")})
    assert KEY in caplog.text
    assert "hush" not in caplog.text


def test_credentials_by_alias() -> None:
    secure = SecureSettings()
    remote = RemoteCredentials(secure)
    told: list[frozenset[str]] = []
    remote.on_change(told.append)
    secure.replace(
        {KEY: Secret("1"), "cluster.remote.signing.truststore.secure_password": Secret("2")}
    )
    assert remote.aliases() == {"eu"}
    assert (remote.credentials("eu"), remote.credentials("us")) == (Secret("1"), None)
    secure.replace({KEY: Secret("1")})
    assert told == [{"eu"}], "signing secrets are no credentials"


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        (KEY, "eu"),
        ("cluster.remote.a-b_c.credentials", "a-b_c"),
        ("cluster.remote.a.b.credentials", None),
        ("cluster.remote..credentials", None),
        ("cluster.remote.credentials", None),
        ("cluster.remote.eu.credentials.x", None),
        ("x.cluster.remote.eu.credentials", None),
    ],
)
def test_aliases_of_names(name: str, alias: str | None) -> None:
    assert alias_of(name) == alias


# -- what is said of credentials -----------------------------------------------------------------------------------


def test_an_api_key_is_accepted() -> None:
    check_credentials(encoded("VuaCfGcBCdbkQm-e5aOx", "ui2lp2axTNmsyakw9tvNnw"))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (Secret("not base64!"), "base64"),
        (Secret("é"), "base64"),
        (Secret(""), r"not \[id:secret\]"),
        (Secret("/////w=="), "base64"),
        (Secret("YWJj"), r"not \[id:secret\]"),
        (encoded("", "ui2lp2axTNmsyakw9tvNnw"), r"not \[id:secret\]"),
        (encoded("id", ""), r"not \[id:secret\]"),
        (encoded("id", "hush-short"), r"secret has \[10\] characters, not \[22\]"),
        (encoded("id", "ui2lp2axTNmsyakw9tvNnwx"), r"secret has \[23\] characters"),
    ],
)
def test_what_is_no_api_key(value: Secret, problem: str) -> None:
    """The reason says what is wrong in one line, and shows nothing of the value."""
    with pytest.raises(IllegalArgument, match=problem) as refused:
        check_credentials(value)
    assert "hush" not in refused.value.reason
    assert "\n" not in refused.value.reason
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_key_for_an_unknown_alias_is_warned_of() -> None:
    """X-70: by its name, with those there are."""
    warnings = unused_credentials(frozenset({"eu", "us"}), frozenset({"eu", "asia"}))
    assert warnings == {
        "us": "the keystore holds [cluster.remote.us.credentials], but there is no remote cluster [us]; "
        "configured are [asia, eu]"
    }


def test_a_missing_key_is_hinted_at() -> None:
    """X-71: with the name of the entry to add."""
    assert "[sealane keystore add cluster.remote.eu.credentials]" in missing_credentials_hint(
        "eu", 9443
    )


def test_of_many_remote_clusters_those_that_may_be_meant_are_named() -> None:
    many = frozenset({*(f"remote-{number}" for number in range(500)), "europe"})
    told = unused_credentials(frozenset({"eurpoe"}), many)["eurpoe"]
    assert "configured are [europe" in told
    assert told.endswith("...]")
    assert len(told) < 300
