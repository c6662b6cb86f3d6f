#!/usr/bin/env python3
"""Tables of Trino that move with their store.

    move.py begin --port N --handover FILE    makes them at the source, and notes what each snapshot holds
    move.py go-on --port N --handover FILE --catalog URL
                                              reads every row of every snapshot, and writes on

What a snapshot has to hold follows from what was asked for, and is never read from the table. Beside Trino, PyIceberg
reads and writes with what the catalog vends.
"""

import argparse
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import pyarrow
from pyiceberg.catalog import load_catalog

import verdict
from rows import digest
from statement import statement

SCHEMA = "iceberg.moved"
TABLE = f"{SCHEMA}.days"
# Of 64 bytes that do not compress: more than one part of 16 MiB.
LARGE = 400_000
HASH = "to_hex(sha512(to_utf8(cast(id AS varchar))))"


def main():
    arguments = parse()
    run = lambda sql: statement(arguments.port, sql)
    if arguments.step == "begin":
        arguments.handover.write_text(json.dumps(begin(run)))
    else:
        go_on(run, open_table(arguments.catalog), json.loads(arguments.handover.read_text()))


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=["begin", "go-on"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--handover", type=pathlib.Path, required=True)
    parser.add_argument("--catalog")
    return parser.parse_args()


def begin(run):
    run(f"CREATE SCHEMA {SCHEMA}")
    history = make_history(run)
    run(f"""CREATE TABLE {SCHEMA}.large WITH (format = 'ORC') AS SELECT id, {HASH} AS hash
            FROM (SELECT m * 1000 + n AS id FROM unnest(sequence(0, {LARGE // 1000 - 1})) AS y(m) CROSS JOIN unnest(sequence(0, 999)) AS x(n))""")
    verdict.check("tables were made", len(history["snapshots"]) > 5, history)
    return history


def make_history(run):
    """What each snapshot holds, as a digest, and the rows of the last one."""
    rows, snapshots = {}, {}
    run(f"CREATE TABLE {TABLE} (id bigint, day varchar, value varchar) WITH (partitioning = ARRAY['day'], format = 'PARQUET')")
    snapshots |= {snapshot: digest([]) for snapshot in snapshot_ids(run)}

    def change(sql):
        run(sql)
        [new] = snapshot_ids(run) - snapshots.keys()
        snapshots[new] = digest(rows.values())

    def insert(first, last, value):
        rows.update({n: (n, f"day={n % 5}", f"{value} {n}") for n in range(first, last + 1)})
        change(f"""INSERT INTO {TABLE} SELECT n, 'day=' || cast(n % 5 AS varchar), '{value} ' || cast(n AS varchar)
                   FROM unnest(sequence({first}, {last})) AS x(n)""")

    insert(1, 10_000, "first")
    rows.update({n: (n, rows[n][1], "updated") for n in range(1, 101)})
    change(f"UPDATE {TABLE} SET value = 'updated' WHERE id <= 100")
    for n in range(9_001, 10_001):
        del rows[n]
    change(f"DELETE FROM {TABLE} WHERE id > 9000")
    rows.update({n: (n, rows[n][1], "matched") for n in range(8_991, 9_001)})
    rows.update({n: (n, "day=9", "new") for n in range(9_001, 9_011)})
    change(f"""MERGE INTO {TABLE} t USING (SELECT n FROM unnest(sequence(8991, 9010)) AS x(n)) s ON t.id = s.n
               WHEN MATCHED THEN UPDATE SET value = 'matched' WHEN NOT MATCHED THEN INSERT VALUES (s.n, 'day=9', 'new')""")
    change(f"ALTER TABLE {TABLE} EXECUTE optimize")
    insert(20_001, 21_000, "second")
    return {"snapshots": snapshots, "rows": sorted(rows.values())}


def snapshot_ids(run):
    return {str(snapshot) for (snapshot,) in run(f'SELECT snapshot_id FROM {SCHEMA}."days$snapshots"')}


def go_on(run, table, left):
    snapshots, rows = left["snapshots"], [tuple(row) for row in left["rows"]]
    verdict.equal("the snapshots are those of the source", snapshot_ids(run), set(snapshots))
    for snapshot, wanted in snapshots.items():
        read = run(f"SELECT id, day, value FROM {TABLE} FOR VERSION AS OF {snapshot}")
        verdict.equal(f"Trino reads snapshot {snapshot} ({len(read)} rows)", digest(read), wanted)
        verdict.equal(f"PyIceberg reads snapshot {snapshot}", digest(rows_of(table().scan(snapshot_id=int(snapshot)))), wanted)
    large = f"SELECT count(*), count(DISTINCT id), count_if(hash = {HASH}) FROM {SCHEMA}.large"
    verdict.equal("a file that was uploaded in parts", run(large), [(LARGE, LARGE, LARGE)])
    write_on(run, table, rows)


def write_on(run, table, rows):
    """Each of the two reads what the other wrote."""
    run(f"DELETE FROM {TABLE} WHERE id <= 50")
    run(f"INSERT INTO {TABLE} VALUES (30001, 'day=1', 'from Trino'), (30002, 'day=8', 'from Trino')")
    rows = [row for row in rows if row[0] > 50] + [(30_001, "day=1", "from Trino"), (30_002, "day=8", "from Trino")]
    verdict.equal("PyIceberg reads what Trino wrote after the move", digest(rows_of(table().scan())), digest(rows))
    more = [(n, f"day={n % 3}", "from PyIceberg") for n in range(40_001, 41_001)]
    columns = dict(zip(("id", "day", "value"), map(list, zip(*more))))
    table().append(pyarrow.table(columns, schema=table().schema().as_arrow()))
    read = run(f"SELECT id, day, value FROM {TABLE}")
    verdict.equal("Trino reads what PyIceberg wrote after the move", digest(read), digest(rows + more))


def open_table(address):
    """Loads the table anew each time, with a session for it alone."""
    vended = {"header.X-Iceberg-Access-Delegation": "vended-credentials"}
    catalog = load_catalog("tests", type="rest", uri=address, warehouse="iceberg", **vended)
    return lambda: catalog.load_table("moved.days")


def rows_of(scan):
    read = scan.to_arrow()
    return zip(*(read[name].to_pylist() for name in ("id", "day", "value")))


verdict.run(main)
