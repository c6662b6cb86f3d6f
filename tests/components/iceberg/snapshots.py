#!/usr/bin/env python3
"""A table with several snapshots, each of them read whole by PyIceberg and by DuckDB.

Phases are carried out in their order, also by different runs and against different stores, as long as the catalog and the
file of expectations are the same:

    write    makes the table: two appends, a delete, an overwrite
    read     every row of every snapshot, with both
    append   goes on with the table that is there
    purge    the catalog deletes the table's files, and nothing is left of it

The files of metadata are the catalog's: Iceberg's S3FileIO writes and deletes them.
"""

import argparse
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import boto3
import pyarrow
from botocore.client import Config
from pyiceberg.expressions import And, GreaterThanOrEqual, LessThan
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import LongType, NestedField, StringType

import verdict
from catalog import keys_of, open_catalog
from duck import Duck
from expectations import Expectations, digest

SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=False),
    NestedField(2, "day", StringType(), required=False),
    NestedField(3, "value", StringType(), required=False),
)
# Folders named day=..., with an `=` in every key.
BY_DAY = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "day"))
DAYS = 3


def main():
    arguments = parse()
    given = {"own_keys": arguments.own_keys, "region": arguments.region, "endpoint": arguments.endpoint}
    keys = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY"), None
    story = Story(arguments, open_catalog(arguments.catalog, **given), keys)
    for phase in arguments.phase:
        getattr(story, phase)()


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--phase", action="append", required=True, choices=["write", "read", "append", "purge"])
    parser.add_argument("--catalog", required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--ca", help="who vouches for the endpoint, over https")
    parser.add_argument("--own-keys", action="store_true", help="work with the pair of the environment; it has to look after a purge")
    parser.add_argument("--table", default="snapshots.events")
    parser.add_argument("--rows", type=int, default=20_000, help="of each append")
    parser.add_argument("--expectations", required=True, help="a file")
    return parser.parse_args()


class Story:
    def __init__(self, arguments, catalog, keys):
        self.arguments, self.catalog, self.keys, self.name = arguments, catalog, keys, arguments.table
        self.expected = Expectations(arguments.expectations)

    def write(self):
        self.catalog.create_namespace_if_not_exists(self.name.split(".")[0])
        table = self.catalog.create_table(self.name, schema=SCHEMA, partition_spec=BY_DAY)
        self.add_rows(table)
        self.add_rows(table)
        self.delete_rows(table)
        self.replace_day(table)
        verdict.equal("snapshots were made", len(self.expected.snapshots), 4)

    def append(self):
        self.add_rows(self.catalog.load_table(self.name))
        verdict.check("the table goes on", len(self.expected.snapshots) > 4, self.expected.snapshots)

    def add_rows(self, table):
        first = max(self.expected.rows, default=-1) + 1
        added = {id: (f"2026-01-{1 + id % DAYS:02}", os.urandom(16).hex()) for id in range(first, first + self.arguments.rows)}
        table.append(as_arrow(added))
        self.expected.rows |= added
        self.expected.add(newest(table))

    def delete_rows(self, table):
        """Files are written anew without them."""
        table.delete("id < 1000")
        self.expected.rows = {id: row for id, row in self.expected.rows.items() if id >= 1000}
        self.expected.add(newest(table))

    def replace_day(self, table):
        """Two snapshots of PyIceberg's, of which the second counts."""
        day = "2026-01-01"
        self.expected.rows = {id: (row[0], "replaced") if row[0] == day else row for id, row in self.expected.rows.items()}
        table.overwrite(as_arrow({id: row for id, row in self.expected.rows.items() if row[0] == day}), f"day == '{day}'")
        self.expected.add(newest(table))

    def read(self):
        table = self.catalog.load_table(self.name)
        duck = Duck(self.arguments.endpoint, self.arguments.region, self.arguments.ca, keys_of(table))
        verdict.equal("the newest snapshot", newest(table), self.expected.snapshots[-1]["id"])
        for number, snapshot in enumerate(self.expected.snapshots, 1):
            wanted = snapshot["count"], snapshot["digest"]
            read = table.scan(snapshot_id=snapshot["id"]).to_arrow()
            rows = list(zip(*(read[name].to_pylist() for name in ("id", "day", "value"))))
            verdict.equal(f"snapshot {number} in PyIceberg", (len(rows), digest(rows)), wanted)
            rows = duck.rows(table.metadata_location, snapshot["id"])
            verdict.equal(f"snapshot {number} in DuckDB", (len(rows), digest(rows)), wanted)
        self.read_little(table, duck)

    def read_little(self, table, duck):
        last = max(self.expected.rows)
        found = table.scan(row_filter=And(GreaterThanOrEqual("id", last - 6), LessThan("id", last))).to_arrow().num_rows
        verdict.equal("a filter in PyIceberg", found, 6)
        verdict.equal("a filter in DuckDB", duck.count_above(table.metadata_location, last - 7), 7)
        verdict.equal("DuckDB reads what it wrote", duck.round_trip(f"{table.location()}/duck", 100_000), sum(range(100_000)))

    def purge(self):
        location = self.catalog.load_table(self.name).location()
        bucket, _, folder = location.removeprefix("s3://").partition("/")
        s3 = self.client()
        before = keys_below(s3, bucket, f"{folder}/")
        verdict.check("there were files", len(before) > 10, before)
        # What DuckDB wrote is no file of the table.
        for key in (key for key in before if "/duck/" in key):
            s3.delete_object(Bucket=bucket, Key=key)
        self.catalog.purge_table(self.name)
        verdict.equal("nothing is left", keys_below(s3, bucket, f"{folder}/"), [])
        self.catalog.drop_namespace(self.name.split(".")[0])
        self.expected.remove()

    def client(self):
        """Sees more than the session of a table."""
        key, secret, _ = self.keys
        return boto3.client("s3", endpoint_url=self.arguments.endpoint, region_name=self.arguments.region, verify=self.arguments.ca,
                            aws_access_key_id=key, aws_secret_access_key=secret, config=Config(s3={"addressing_style": "path"}))


def newest(table):
    return table.refresh().current_snapshot().snapshot_id


def as_arrow(rows):
    columns = zip(*((id, *row) for id, row in rows.items()))
    types = pyarrow.int64(), pyarrow.string(), pyarrow.string()
    return pyarrow.table({name: pyarrow.array(column, type) for name, column, type in zip(("id", "day", "value"), columns, types)})


def keys_below(s3, bucket, prefix):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


verdict.run(main)
