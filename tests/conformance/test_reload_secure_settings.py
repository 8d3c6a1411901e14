"""`POST /_nodes/reload_secure_settings`, over REST. The answers are the reference's, but for what a node tells beside
its name, which later releases of it tell too.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sealane.model.security import Secret
from sealane.security.stores.keystore_file import NO_PASSWORD, KeystoreFile, new_keystore
from sealane.testing.in_process import Answer, InProcessCluster, clusters

RELOAD = "/_nodes/reload_secure_settings"
KEY = "cluster.remote.eu.credentials"
WRONG = {"type": "security_exception", "reason": "Provided keystore password was incorrect"}


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[InProcessCluster]:
    """A cluster whose keystore holds a key for `eu`."""
    async with clusters(tmp_path, "local") as (cluster,):
        keystore_of(tmp_path).save(new_keystore().with_text(KEY, "1"), NO_PASSWORD)
        yield cluster


def keystore_of(tmp_path: Path) -> KeystoreFile:
    return KeystoreFile(tmp_path / "local")


async def reload(cluster: InProcessCluster, body: Any = None, target: str = RELOAD) -> Answer:
    return await cluster.request("POST", target, body)


async def test_reloaded(local: InProcessCluster, tmp_path: Path) -> None:
    """X-101: HTTP 200, no exception, the digest of the file that was read, and the names it holds."""
    answer = await reload(local)
    opened = keystore_of(tmp_path).open(NO_PASSWORD)
    assert answer.status == 200
    node = answer.body["nodes"].pop("local")
    assert answer.body == {
        "_nodes": {"total": 1, "successful": 1, "failed": 0},
        "cluster_name": "local",
        "nodes": {},
    }
    modified = node.pop("keystore_last_modified_time")
    assert modified.endswith("Z")
    assert node == {
        "name": "local-1",
        "secure_setting_names": [KEY, "keystore.seed"],
        "keystore_path": str(keystore_of(tmp_path).path),
        "keystore_digest": opened.digest,
    }
    assert local.secure.get(KEY) == Secret("1")


async def test_what_changes_is_in_force(local: InProcessCluster, tmp_path: Path) -> None:
    """X-103: a key added, changed and removed is told to who uses it."""
    told: list[frozenset[str]] = []
    local.secure.on_change(told.append)
    file = keystore_of(tmp_path)
    for keystore in (
        file.open(NO_PASSWORD).keystore,
        file.open(NO_PASSWORD).keystore.with_text(KEY, "2"),
        new_keystore(),
    ):
        file.save(keystore, NO_PASSWORD)
        assert (await reload(local)).status == 200
        assert local.secure.get(KEY) == keystore.texts.get(KEY)
    assert told == [{KEY}, {KEY}, {KEY}]


async def test_a_wrong_password(local: InProcessCluster) -> None:
    """X-101, C-88: HTTP 200, and the exception of the node; what was in force stays."""
    await reload(local)
    answer = await reload(local, {"secure_settings_password": "hush"})
    assert answer.status == 200
    assert answer.body["_nodes"]["failed"] == 0
    assert answer.body["nodes"] == {"local": {"name": "local-1", "reload_exception": WRONG}}
    assert local.secure.get(KEY) == Secret("1")


async def test_the_right_password(local: InProcessCluster, tmp_path: Path) -> None:
    """X-101: none is as good as an empty one."""
    file = keystore_of(tmp_path)
    file.save(new_keystore().with_text(KEY, "9"), Secret("open"))
    assert (await reload(local)).body["nodes"]["local"]["reload_exception"] == WRONG
    assert (await reload(local, {"secure_settings_password": ""})).body["nodes"]["local"][
        "reload_exception"
    ] == WRONG
    answer = await reload(local, {"secure_settings_password": "open"})
    assert "reload_exception" not in answer.body["nodes"]["local"]
    assert local.secure.get(KEY) == Secret("9")


async def test_a_missing_keystore(local: InProcessCluster, tmp_path: Path) -> None:
    keystore_of(tmp_path).path.unlink()
    answer = await reload(local)
    assert answer.status == 200
    assert answer.body["nodes"]["local"]["reload_exception"] == {
        "type": "illegal_state_exception",
        "reason": "Keystore is missing",
    }


async def test_a_damaged_keystore(local: InProcessCluster, tmp_path: Path) -> None:
    keystore_of(tmp_path).path.write_bytes(b"SEALKEYS\x01\x00" + bytes(50))
    answer = await reload(local)
    assert answer.body["nodes"]["local"]["reload_exception"] == {
        "type": "security_exception",
        "reason": "Keystore has been corrupted or tampered with",
    }


async def test_a_keystore_that_would_stop_the_start(
    local: InProcessCluster, tmp_path: Path
) -> None:
    """P7: a misspelt name is told now, not at the next start; nothing of that keystore is taken."""
    keystore = new_keystore().with_text(KEY, "2").with_text("cluster.remote.eu.credential", "x")
    keystore_of(tmp_path).save(keystore, NO_PASSWORD)
    answer = await reload(local)
    assert answer.body["nodes"]["local"]["reload_exception"]["reason"] == (
        f"unknown secure setting [cluster.remote.eu.credential] did you mean [{KEY}]?"
    )
    assert local.secure.get(KEY) is None


@pytest.mark.parametrize(
    ("nodes", "total"), [("_local", 1), ("_all", 1), ("nosuch", 0), ("local-1", 1), ("x,local", 1)]
)
async def test_nodes_are_chosen(local: InProcessCluster, nodes: str, total: int) -> None:
    answer = await reload(local, {}, f"/_nodes/{nodes}/reload_secure_settings")
    assert answer.status == 200
    assert answer.body["_nodes"] == {"total": total, "successful": total, "failed": 0}
    assert len(answer.body["nodes"]) == total


FIELD = "[reload_secure_settings] secure_settings_password doesn't support values of type:"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"secure_settings_password":1}', f"[1:29] {FIELD} VALUE_NUMBER"),
        ('{"secure_settings_password":null}', f"[1:29] {FIELD} VALUE_NULL"),
        ('{"secure_settings_password":["a"]}', f"[1:29] {FIELD} START_ARRAY"),
        ('{"secure_settings_password":true}', f"[1:29] {FIELD} VALUE_BOOLEAN"),
        (
            '{"secure_settings_passwordd":"x"}',
            "[1:2] [reload_secure_settings] unknown field [secure_settings_passwordd] "
            "did you mean [secure_settings_password]?",
        ),
        ('{"a":{}}', "[1:2] [reload_secure_settings] unknown field [a]"),
        ("[]", "[1:1] [reload_secure_settings] Expected START_OBJECT but was: START_ARRAY"),
        ('"a"', "[1:1] [reload_secure_settings] Expected START_OBJECT but was: VALUE_STRING"),
        ("null", "[1:1] [reload_secure_settings] Expected START_OBJECT but was: VALUE_NULL"),
        (
            "{",
            "[1:2] Unexpected end-of-input: expected close marker for Object (start marker at "
            '[Source: (byte[])"{"; line: 1, column: 1])\n at [Source: (byte[])"{"; line: 1, column: 2]',
        ),
    ],
)
async def test_bodies_that_are_refused(local: InProcessCluster, body: str, reason: str) -> None:
    answer = await reload(local, body.encode())
    assert answer.status == 400
    assert answer.body["error"]["type"] == "x_content_parse_exception"
    assert answer.body["error"]["reason"] == reason


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("path", [RELOAD, "/_nodes/_local/reload_secure_settings"])
async def test_other_methods(local: InProcessCluster, method: str, path: str) -> None:
    answer = await local.request(method, path)
    assert answer.status == 405
    assert answer.body["error"] == (
        f"Incorrect HTTP method for uri [{path}] and method [{method}], allowed: [POST]"
    )


async def test_a_password_in_the_url_is_refused(local: InProcessCluster) -> None:
    """T-33: it would be in every list of tasks, and in the logs of every proxy."""
    answer = await reload(
        local, None, f"{RELOAD}?source=%7B%7D&source_content_type=application/json"
    )
    assert answer.status == 400
    assert "contains unrecognized parameters: [source], [source_content_type]" in str(answer.body)
