#!/usr/bin/env python3
"""Tables through Trino: made, filled, changed, read in the past, tidied up, dropped.

Small files are written by one PUT, the table in ORC by uploads in parts; partitions put `=` into the keys.
"""

import argparse
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import session
import verdict
from statement import statement

SCHEMA = "iceberg.trino_tests"
TABLE = f"{SCHEMA}.days"
# Three UUIDs each, which do not compress well: more than one part of 16 MiB.
LARGE = 600_000


def main():
    arguments = parse()
    # Their addresses, for every thread a connection of its own.
    run = lambda sql: statement(arguments.port, sql)
    run(f"CREATE SCHEMA {SCHEMA}")
    fill(run)
    change(run)
    race(run)
    large(run)
    tidy(run)
    if arguments.catalog:
        session.held_to_its_table(arguments.catalog, "trino_tests", "days", arguments.endpoint, arguments.bucket)
    drop(run)


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--catalog", help="with vended credentials: what it gives out is tried too")
    return parser.parse_args()


def fill(run):
    run(f"CREATE TABLE {TABLE} (id bigint, day varchar, value varchar) WITH (partitioning = ARRAY['day'], format = 'PARQUET')")
    run(f"INSERT INTO {TABLE} SELECT n, 'day=' || cast(n % 5 AS varchar), cast(uuid() AS varchar) FROM unnest(sequence(1, 10000)) AS x(n)")
    verdict.equal("insert", run(f"SELECT count(*), count(DISTINCT id), sum(id) FROM {TABLE}"), [(10000, 10000, 50005000)])
    verdict.equal("one partition", run(f"SELECT count(*) FROM {TABLE} WHERE day = 'day=3'"), [(2000,)])


def change(run):
    [(before,)] = run(f'SELECT snapshot_id FROM {SCHEMA}."days$snapshots" ORDER BY committed_at DESC LIMIT 1')
    run(f"UPDATE {TABLE} SET value = 'updated' WHERE id <= 100")
    verdict.equal("update", run(f"SELECT count(*) FROM {TABLE} WHERE value = 'updated'"), [(100,)])
    run(f"DELETE FROM {TABLE} WHERE id > 9000")
    run(f"""MERGE INTO {TABLE} t USING (SELECT n FROM unnest(sequence(8991, 9010)) AS x(n)) s ON t.id = s.n
            WHEN MATCHED THEN UPDATE SET value = 'matched' WHEN NOT MATCHED THEN INSERT VALUES (s.n, 'day=9', 'new')""")
    counts = f"SELECT count(*), count_if(value = 'matched'), count_if(value = 'new') FROM {TABLE}"
    verdict.equal("delete and merge", run(counts), [(9010, 10, 10)])
    verdict.equal("the past", run(f"SELECT count(*) FROM {TABLE} FOR VERSION AS OF {before}"), [(10000,)])


def race(run):
    """Commits that meet: each is tried again on top of the other."""
    insert = lambda n: run(f"INSERT INTO {TABLE} SELECT {n} * 1000 + i, 'race', 'r' FROM unnest(sequence(1, 50)) AS x(i)")
    threads = [threading.Thread(target=insert, args=(n,)) for n in (100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verdict.equal("three inserts at a time", run(f"SELECT count(*), count(DISTINCT id) FROM {TABLE} WHERE day = 'race'"), [(150, 150)])


def large(run):
    uuids = ", ".join(f"cast(uuid() AS varchar) AS {name}" for name in "abc")
    run(f"""CREATE TABLE {SCHEMA}.large WITH (format = 'ORC') AS SELECT m * 1000 + n AS id, {uuids}
            FROM unnest(sequence(0, {LARGE // 1000 - 1})) AS y(m) CROSS JOIN unnest(sequence(0, 999)) AS x(n)""")
    read = run(f"SELECT count(*), count(DISTINCT id), sum(id), count(DISTINCT a), sum(length(c)) FROM {SCHEMA}.large")
    verdict.equal("a large table", read, [(LARGE, LARGE, LARGE * (LARGE - 1) // 2, LARGE, LARGE * 36)])


def tidy(run):
    run(f"ALTER TABLE {TABLE} EXECUTE optimize")
    run(f"ALTER TABLE {TABLE} EXECUTE expire_snapshots(retention_threshold => '7d')")
    run(f"ALTER TABLE {TABLE} EXECUTE remove_orphan_files(retention_threshold => '7d')")
    run(f"ANALYZE {TABLE}")
    verdict.equal("after it was tidied", run(f"SELECT count(*), count(DISTINCT id) FROM {TABLE}"), [(9160, 9160)])


def drop(run):
    for name in ("days", "large"):
        run(f"DROP TABLE {SCHEMA}.{name}")
    run(f"DROP SCHEMA {SCHEMA}")
    verdict.equal("nothing is left", run("SHOW SCHEMAS FROM iceberg LIKE 'trino_tests'"), [])


verdict.run(main)
