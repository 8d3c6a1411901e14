"""Index folders that the metadata does not know: what a crash left of a deletion or of a creation.

A deletion first marks its folder. A folder with neither mark nor operations is of an index that was never announced.
Any other unknown folder holds documents that nobody has asked to delete: it is kept and named in the log, because the
metadata may be what was lost.
"""

import logging
import shutil
from pathlib import Path

from sealane.engine.embedded.index_files import sync_folder
from sealane.engine.embedded.oplog import holds_operations

_LOG = logging.getLogger("sealane.engine")
_MARK = "deleted"


def remove_folder(folder: Path) -> None:
    """Removes an index's folder. Cut off at any moment, the rest is an orphan that is known to be deleted."""
    if not folder.exists():
        return
    (folder / _MARK).touch()
    sync_folder(folder)
    # The mark must be the last to go.
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def remove_orphans(path: Path, known: frozenset[str]) -> list[str]:
    """Removes orphans below `path`; returns the names of all that were removed."""
    removed = []
    for folder in sorted(entry for entry in path.iterdir() if entry.is_dir()):
        if folder.name in known:
            continue
        if not (folder / _MARK).exists() and any(
            holds_operations(log) for log in folder.glob("*/operations.sqlite")
        ):
            _LOG.warning("the folder %s belongs to no index; it is left alone", folder)
            continue
        remove_folder(folder)
        removed.append(folder.name)
    return removed
