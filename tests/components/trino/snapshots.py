#!/usr/bin/env python3
"""A table with several snapshots, of which Trino reads every row.

Phases are carried out in their order, also by different runs and against different stores, as long as the catalog and the
file of expectations are the same:

    write    makes the table: inserts, an update, a delete, a merge, files made of smaller ones
    read     every row of every snapshot, also of a table that something else has made
    append   goes on with the table that is there

What a snapshot has to hold follows from what was asked for, and is never read from the table.
"""

import argparse
import pathlib
import sys

components = pathlib.Path(__file__).parent.parent
sys.path[:0] = [str(components), str(components / "iceberg")]

import verdict
from expectations import Expectations, digest
from statement import statement

# Of 64 bytes that do not compress: more than one part of 16 MiB.
LARGE = 400_000
HASH = "to_hex(sha512(to_utf8(cast(id AS varchar))))"


def main():
    arguments = parse()
    story = Story(arguments)
    for phase in arguments.phase:
        getattr(story, phase)()


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--phase", action="append", required=True, choices=["write", "read", "append"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--table", required=True, help="NAMESPACE.TABLE")
    parser.add_argument("--expectations", required=True, help="a file")
    return parser.parse_args()


class Story:
    def __init__(self, arguments):
        self.port, self.expected = arguments.port, Expectations(arguments.expectations)
        self.namespace, self.name = arguments.table.split(".")
        self.table = f"iceberg.{arguments.table}"

    def write(self):
        self.run(f"CREATE SCHEMA IF NOT EXISTS iceberg.{self.namespace}")
        self.run(f"CREATE TABLE {self.table} (id bigint, day varchar, value varchar) WITH (partitioning = ARRAY['day'], format = 'PARQUET')")
        self.insert(1, 10_000, "first")
        self.update()
        self.delete()
        self.merge()
        self.change({}, f"ALTER TABLE {self.table} EXECUTE optimize")
        self.insert(20_001, 21_000, "second")
        self.large()

    def append(self):
        self.insert(max(self.expected.rows) + 1, max(self.expected.rows) + 1000, "more")
        least = min(self.expected.rows)
        self.expected.rows = {id: row for id, row in self.expected.rows.items() if id >= least + 50}
        self.change({}, f"DELETE FROM {self.table} WHERE id < {least + 50}")

    def insert(self, first, last, value):
        rows = {n: (f"day={n % 5}", f"{value} {n}") for n in range(first, last + 1)}
        self.change(rows, f"""INSERT INTO {self.table} SELECT n, 'day=' || cast(n % 5 AS varchar), '{value} ' || cast(n AS varchar)
                              FROM unnest(sequence({first}, {last})) AS x(n)""")

    def update(self):
        rows = {n: (self.expected.rows[n][0], "updated") for n in range(1, 101)}
        self.change(rows, f"UPDATE {self.table} SET value = 'updated' WHERE id <= 100")

    def delete(self):
        self.expected.rows = {n: row for n, row in self.expected.rows.items() if n <= 9000}
        self.change({}, f"DELETE FROM {self.table} WHERE id > 9000")

    def merge(self):
        rows = {n: (self.expected.rows[n][0], "matched") for n in range(8_991, 9_001)}
        rows |= {n: ("day=9", "new") for n in range(9_001, 9_011)}
        self.change(rows, f"""MERGE INTO {self.table} t USING (SELECT n FROM unnest(sequence(8991, 9010)) AS x(n)) s ON t.id = s.n
                              WHEN MATCHED THEN UPDATE SET value = 'matched' WHEN NOT MATCHED THEN INSERT VALUES (s.n, 'day=9', 'new')""")

    def change(self, rows, sql):
        """One that makes one snapshot, and gives these rows their values."""
        before = self.snapshots()
        self.run(sql)
        [made] = self.snapshots() - before
        self.expected.rows |= rows
        self.expected.add(made)

    def snapshots(self):
        return {snapshot for (snapshot,) in self.run(f'SELECT snapshot_id FROM iceberg.{self.namespace}."{self.name}$snapshots"')}

    def large(self):
        self.run(f"""CREATE TABLE {self.table}_large WITH (format = 'ORC') AS SELECT id, {HASH} AS hash FROM
                     (SELECT m * 1000 + n AS id FROM unnest(sequence(0, {LARGE // 1000 - 1})) AS y(m) CROSS JOIN unnest(sequence(0, 999)) AS x(n))""")
        self.read_large()

    def read(self):
        listed = self.snapshots()
        for number, snapshot in enumerate(self.expected.snapshots, 1):
            read = self.run(f"SELECT id, day, value FROM {self.table} FOR VERSION AS OF {snapshot['id']}")
            verdict.equal(f"{self.table}, snapshot {number} in Trino", (len(read), digest(read)), (snapshot["count"], snapshot["digest"]))
            verdict.check(f"{self.table}, snapshot {number} is listed", snapshot["id"] in listed, listed)
        read = self.run(f"SELECT id, day, value FROM {self.table}")
        newest = self.expected.snapshots[-1]
        verdict.equal(f"{self.table} today", (len(read), digest(read)), (newest["count"], newest["digest"]))
        if (f"{self.name}_large",) in self.run(f"SHOW TABLES FROM iceberg.{self.namespace}"):
            self.read_large()

    def read_large(self):
        read = self.run(f"SELECT count(*), count(DISTINCT id), count_if(hash = {HASH}) FROM {self.table}_large")
        verdict.equal("a file that was uploaded in parts", read, [(LARGE, LARGE, LARGE)])

    def run(self, sql):
        return statement(self.port, sql)


verdict.run(main)
