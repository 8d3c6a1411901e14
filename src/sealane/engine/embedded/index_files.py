"""A shard's tantivy index on disk: its schema made from a mapping, and fields appended to it later.

tantivy's binding can neither make a field without length norms nor add a field to an index that exists; both are done
in `meta.json`, which tantivy reads at open. A field appended later must have no norms: with them, segments from before
and after it can never be merged again. Who may call when is the shard's business.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tantivy

from sealane.engine.embedded.analysis import NAME as STANDARD
from sealane.engine.embedded.analysis import register_tokenizers
from sealane.engine.embedded.nested_documents import reaches_root
from sealane.engine.embedded.view import (
    FIELD_NAMES,
    ID,
    LAT,
    LON,
    NANOS,
    SEQ_NO,
    STORED,
    VECTOR,
)
from sealane.engine.mapping import Field, FieldType, Mapping
from sealane.errors import IllegalState, Internal

FORMAT = 1
Column = dict[str, Any]


@contextlib.contextmanager
def mapped_errors() -> Iterator[None]:
    """tantivy's errors and panics as ours: nothing above sees a foreign exception, and a panic is no BaseException."""
    try:
        yield
    except BaseException as exc:
        mapped = mapped_error(exc)
        if mapped is None:
            raise
        raise mapped from exc


def mapped_error(exc: BaseException) -> Internal | None:
    """What tantivy raised as ours, None for what is not tantivy's. For loops that a context manager would slow down."""
    if isinstance(exc, (ValueError, RuntimeError, OSError)):
        return Internal(f"the shard's index failed: {exc}")
    if type(exc).__name__ == "PanicException":
        return Internal(f"the shard's index panicked: {exc}")
    return None


def _text(name: str, *, fast: bool, tokenizer: str, record: str, norms: bool) -> Column:
    indexing = {"record": record, "fieldnorms": norms, "tokenizer": tokenizer}
    options = {"indexing": indexing, "stored": False, "fast": fast}
    return {"name": name, "type": "text", "options": options}


def raw_column(name: str, *, fast: bool) -> Column:
    """Text that is one term."""
    return _text(name, fast=fast, tokenizer="raw", record="basic", norms=False)


def number_column(name: str, kind: str) -> Column:
    options = {"indexed": True, "fieldnorms": False, "fast": True, "stored": False}
    return {"name": name, "type": kind, "options": options}


def _bytes(name: str) -> Column:
    options = {"indexed": False, "fieldnorms": False, "fast": False, "stored": True}
    return {"name": name, "type": "bytes", "options": options}


def own_columns() -> dict[str, Column]:
    """What every document has."""
    return {
        ID: raw_column(ID, fast=False),
        SEQ_NO: number_column(SEQ_NO, "i64"),
        STORED: _bytes(STORED),
        FIELD_NAMES: raw_column(FIELD_NAMES, fast=False),
    }


def columns_of(mapping: Mapping) -> dict[str, Column]:
    """The columns of all that the mapping indexes, by name; but for those of nested objects alone."""
    nested = mapping.nested
    return {
        column["name"]: column
        for path, leaf in mapping.fields.items()
        if leaf.is_indexed and (not nested or reaches_root(mapping, path))
        for column in column_of(leaf)
    }


def column_of(leaf: Field) -> list[Column]:
    """The columns of one field (view.py)."""
    path = leaf.path
    match leaf.type:
        case FieldType.TEXT:
            return [
                _text(path, fast=False, tokenizer=STANDARD, record="position", norms=leaf.norms)
            ]
        case (
            FieldType.KEYWORD
            | FieldType.IP
            | FieldType.WILDCARD
            | FieldType.CONSTANT_KEYWORD
            | FieldType.COMPLETION
        ):
            return [raw_column(path, fast=True)]
        case FieldType.GEO_POINT:
            return [
                number_column(path, "i64"),
                number_column(f"{path}{LAT}", "f64"),
                number_column(f"{path}{LON}", "f64"),
            ]
        case FieldType.DATE_NANOS:
            return [number_column(path, "i64"), number_column(f"{path}{NANOS}", "i64")]
        case FieldType.DENSE_VECTOR:
            return [number_column(path, "i64"), _bytes(f"{path}{VECTOR}")]
    return [number_column(path, "f64" if leaf.type.is_floating else "i64")]


def create_index(folder: Path, columns: dict[str, Column]) -> tantivy.Index:
    """A new, empty index in `folder`, which appears whole or not at all."""
    half = folder.with_name(folder.name + ".new")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    with mapped_errors():
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("placeholder")
        tantivy.Index(builder.build(), path=str(half))
    meta = json.loads((half / "meta.json").read_bytes())
    meta["schema"] = list((columns | own_columns()).values())
    _replace(half / "meta.json", meta)
    os.rename(half, folder)
    sync_folder(folder.parent)
    return open_index(folder)


def open_index(folder: Path) -> tantivy.Index:
    with mapped_errors():
        index = tantivy.Index.open(str(folder))
        register_tokenizers(index)
        index.config_reader("manual")
    return index


def empty_index() -> tantivy.Index:
    """In memory: what a shard shows before its first document."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field(ID, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field(SEQ_NO, indexed=True, fast=True)
    builder.add_bytes_field(STORED, stored=True)
    builder.add_text_field(FIELD_NAMES, tokenizer_name="raw", index_option="basic")
    index = tantivy.Index(builder.build())
    register_tokenizers(index)
    return index


def read_columns(folder: Path) -> frozenset[str]:
    """The names of the columns that the index has."""
    meta = json.loads((folder / "meta.json").read_bytes())
    return frozenset(column["name"] for column in meta["schema"])


def append_columns(folder: Path, columns: dict[str, Column]) -> None:
    """Adds columns to an index that nobody writes to. It must be opened again to see them."""
    meta = json.loads((folder / "meta.json").read_bytes())
    for column in columns.values():
        late = json.loads(json.dumps(column))
        if "indexing" in late["options"]:
            late["options"]["indexing"]["fieldnorms"] = False
        meta["schema"].append(late)
    _replace(folder / "meta.json", meta)


def size_bytes(folder: Path) -> int:
    """Of all files below `folder`. Merges remove files meanwhile; those count nothing."""
    size = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                size += os.stat(os.path.join(parent, name)).st_size
    return size


def deleted_documents(folder: Path) -> int:
    """Documents that are deleted but not yet merged away."""
    meta = json.loads((folder / "meta.json").read_bytes())
    return sum(
        segment["deletes"]["num_deleted_docs"] for segment in meta["segments"] if segment["deletes"]
    )


def _replace(path: Path, meta: Any) -> None:
    _write_durably(path, json.dumps(meta))


def _write_durably(path: Path, text: str) -> None:
    """The whole text or, after a crash, what was there before."""
    beside = path.with_name(path.name + ".new")
    with beside.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes renames in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def claim_folder(folder: Path) -> None:
    """Makes sure that `folder` exists and is of a format we know. Raises IllegalState for another one."""
    marker = folder / "format"
    if marker.exists():
        found = marker.read_text().strip()
        if found != str(FORMAT):
            raise IllegalState(
                f"[{folder}] has the disk format [{found}], this version reads [{FORMAT}]: "
                "start the version that wrote it"
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    _write_durably(marker, f"{FORMAT}\n")
