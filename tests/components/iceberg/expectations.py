"""What a table must hold, snapshot by snapshot, kept in a file from one phase to the next.

A snapshot is told by the digest of its rows, taken from what was to be written and never from what was read.
"""

import hashlib
import json
import pathlib


class Expectations:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        told = json.loads(self.path.read_text()) if self.path.exists() else {"rows": {}, "snapshots": []}
        # Today's rows, from which the next snapshot is made: id -> day and value.
        self.rows = {int(id): tuple(row) for id, row in told["rows"].items()}
        self.snapshots = told["snapshots"]

    def add(self, snapshot):
        """The rows as they are now are those of this snapshot, the newest."""
        rows = [(id, *row) for id, row in self.rows.items()]
        self.snapshots.append({"id": snapshot, "count": len(rows), "digest": digest(rows)})
        self.path.write_text(json.dumps({"rows": self.rows, "snapshots": self.snapshots}))

    def remove(self):
        self.path.unlink()


def digest(rows):
    """Of tuples (id, day, value), in whatever order they come."""
    whole = hashlib.sha256()
    for id, day, value in sorted(rows):
        whole.update(f"{id} {day} {value}\n".encode())
    return whole.hexdigest()
