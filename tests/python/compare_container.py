#!/usr/bin/env python3
"""Holds a container, read with the Azure SDK, against the objects that s3_source_odd_keys.py served.

Every object of the bucket is in the container with the same bytes, or is named in the mover's report as unmappable or
in need of action; nothing else is in the container, and the summary of the backfill counts the same. An object that
cannot be copied and is accounted for has passed. Ends with `N passed, N failed, N skipped`.
"""
import argparse
import collections
import json
import os
import pathlib
import sys

from azure.storage.blob import BlobServiceClient

from s3_source_odd_keys import Object

EXCUSED = ("unmappable", "needs_action")


def excused_keys(path):
    """The lines of the report that say why an object was not copied, by key."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {entry["key"]: entry for entry in map(json.loads, lines) if entry["outcome"] in EXCUSED}


def summary_of(path):
    """The last line of JSON in the log of a backfill."""
    return json.loads([line for line in path.read_text().splitlines() if line.startswith("{")][-1])["total"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--objects", type=pathlib.Path, required=True)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--container", required=True)
    parser.add_argument("--report", type=pathlib.Path, required=True)
    parser.add_argument("--summary", type=pathlib.Path, required=True)
    options = parser.parse_args()
    told = json.loads(options.objects.read_text())
    wanted = {o.key.decode(): o for o in map(Object, told["buckets"][options.bucket])}
    excused = excused_keys(options.report)
    container = BlobServiceClient.from_connection_string(os.environ["AZURE_STORAGE_CONNECTION_STRING"], api_version="2026-04-06").get_container_client(options.container)
    present = {blob.name for blob in container.list_blobs()}
    passed = failed = 0
    left = collections.Counter()
    for key, found in wanted.items():
        if key in present:
            same = container.download_blob(key).readall() in bodies(found, told)
            passed, failed = passed + same, failed + (not same)
            if not same:
                print(f"DIFFERS {key!r}")
        elif key in excused:
            passed += 1
            left[excused[key]["outcome"]] += 1
            print(f"not copied, and said so: {key!r}: {excused[key]}")
        else:
            failed += 1
            print(f"MISSING without a word {key!r}")
    for name in sorted(present - wanted.keys()):
        failed += 1
        print(f"MORE than the source has: {name!r}")
    counted, right = summary_of(options.summary), {"listed": len(wanted), "copied": len(wanted.keys() & present), **{name: left[name] for name in EXCUSED}, "failed": 0}
    passed, failed = passed + (same := right.items() <= counted.items()), failed + (not same)
    if not same:
        print(f"DIFFERS the summary: {counted}, {right} wanted")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed or not passed else 0)


def bodies(found, told):
    """Any whole version of the object: the first, or one that a fault changed it to."""
    changes = [fault["change"] for fault in told.get("faults", []) if "change" in fault and fault.get("key") == found.told.get("key")]
    return [found.body] + [found.changed(change).body for change in changes]


main()
