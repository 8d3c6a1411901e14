"""The tables of a shard's operation log, and what makes an older file into the present format.

Format 1 had neither leases nor a floor: the log began where its operations do. Migration happens in one transaction.
"""

import sqlite3
from pathlib import Path
from typing import Final

from sealane.errors import IllegalState

FORMAT: Final = 2

_OPERATIONS = """(
    seq_no INTEGER PRIMARY KEY, term INTEGER NOT NULL, version INTEGER NOT NULL,
    kind INTEGER NOT NULL, id TEXT NOT NULL, routing TEXT, source BLOB, wall_ms INTEGER NOT NULL
)"""
_FORMAT_1 = f"""
CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE operations {_OPERATIONS};
"""
# What is to be put back into the index after a roll-back: documents as they were, and ids that had none.
_FROM_1_TO_2 = """
CREATE TABLE leases (
    id TEXT PRIMARY KEY, retaining_seq_no INTEGER NOT NULL, timestamp_ms INTEGER NOT NULL, source TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE restored (
    id TEXT PRIMARY KEY, seq_no INTEGER NOT NULL, term INTEGER NOT NULL, version INTEGER NOT NULL,
    kind INTEGER NOT NULL, routing TEXT, source BLOB, wall_ms INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO facts SELECT 'ancestors', '[]';
INSERT INTO facts SELECT 'floor', min(
    ifnull((SELECT min(seq_no) FROM operations), 0x7FFFFFFFFFFFFFFF),
    ifnull((SELECT value FROM facts WHERE name = 'committed'), -1) + 1
);
"""


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Makes the tables of a new file, and those that an older one lacks. Raises IllegalState for an unknown format."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found == FORMAT:
        return
    if found not in (0, 1):
        raise IllegalState(
            f"the operation log [{path}] has the format [{found}], this version reads [{FORMAT}]"
        )
    connection.executescript(
        f"BEGIN IMMEDIATE;{_FORMAT_1 if found == 0 else ''}{_FROM_1_TO_2}"
        f"PRAGMA user_version={FORMAT};COMMIT;"
    )
