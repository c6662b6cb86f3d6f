#!/usr/bin/env python3
"""A table in a catalog that vends as Polaris does, worked on by PyIceberg with nothing but what the catalog gave out.

With --own-keys the catalog assumes no role: it gives out the endpoint, and PyIceberg brings the pair of the
environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY).
"""

import argparse
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import pyarrow
from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import GreaterThanOrEqual

import session
import verdict

ROWS = 30_000


def main():
    arguments = parse()
    catalog = open_catalog(arguments)
    catalog.create_namespace("vending")
    table = catalog.create_table("vending.events", schema=rows(0).schema)
    work(catalog, table)
    given = session.load(arguments.catalog, "vending", "events").get("config", {})
    if arguments.own_keys:
        verdict.equal("no keys are given out", [name for name in given if "key" in name or "token" in name], [])
        verdict.equal("the endpoint is given out", given.get("s3.endpoint"), arguments.endpoint)
    else:
        verdict.check("the pair of the catalog stays with it", given["s3.access-key-id"] != arguments.pair, given)
        session.held_to_its_table(arguments.catalog, "vending", "events", arguments.endpoint, arguments.bucket)
    catalog.purge_table("vending.events")
    catalog.drop_namespace("vending")


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--catalog", required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--pair", required=True, help="the access key id of the catalog")
    parser.add_argument("--own-keys", action="store_true")
    return parser.parse_args()


def open_catalog(arguments):
    properties = {"type": "rest", "uri": arguments.catalog, "warehouse": "iceberg", "header.X-Iceberg-Access-Delegation": "vended-credentials"}
    keys = [os.environ.pop(name, None) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
    if arguments.own_keys:
        properties |= {"s3.access-key-id": keys[0], "s3.secret-access-key": keys[1]}
    return load_catalog("tests", **properties)


def work(catalog, table):
    table.append(rows(0))
    table.append(rows(ROWS))
    first = table.history()[0].snapshot_id
    table = catalog.load_table("vending.events")
    ids = table.scan(selected_fields=("id",)).to_arrow()["id"].to_pylist()
    verdict.check("every row once", sorted(ids) == list(range(2 * ROWS)), f"{len(ids)} rows, {len(set(ids))} of them distinct")
    verdict.equal("the first snapshot", table.scan(snapshot_id=first).count(), ROWS)
    table.delete("id < 100")
    table = catalog.load_table("vending.events")
    verdict.equal("a delete", table.scan().count(), 2 * ROWS - 100)
    verdict.equal("a filter", table.scan(row_filter=GreaterThanOrEqual("id", 2 * ROWS - 7)).to_arrow().num_rows, 7)


def rows(first):
    return pyarrow.table({
        "id": pyarrow.array(range(first, first + ROWS), pyarrow.int64()),
        "value": pyarrow.array([os.urandom(16).hex() for _ in range(ROWS)]),
    })


verdict.run(main)
