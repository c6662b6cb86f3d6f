#!/usr/bin/env python3
"""Says whether a mover asked for too much, by the logs of request_log.py at the source and at the Blob service.

    judge_requests.py listings SOURCE.ndjson STORE.ndjson
        Nothing was asked but listings: no request for any one object or blob.
    judge_requests.py once SOURCE.ndjson STORE.ndjson --total BYTES --kills N --in-flight BYTES --block BYTES
        Nothing that had been stored was read again, and bytes were read twice only as far as they were in flight at a
        kill, each of which may cost --in-flight bytes. Buckets and containers have the same names, and blocks one size.

Ends with `N passed, N failed, N skipped`.
"""
import argparse
import base64
import collections
import json
import sys
import urllib.parse

STATE_CONTAINER = "bluebucket-state"


class Request:
    def __init__(self, told):
        path, _, query = told["target"].partition("?")
        self.method, self.path = told["method"], urllib.parse.unquote(path.removeprefix("/devstoreaccount1"))
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.range, self.status, self.whole = told["range"], told["status"], told["whole"]
        self.sent, self.received, self.began, self.ended = told["sent"], told["received"], told["began"], told["ended"]
        self.place, _, self.key = self.path[1:].partition("/")

    def __str__(self):
        return f"{self.method} {self.path[:120]} {self.query} {self.range or ''} -> {self.status}, {self.received} bytes"


def read(path):
    with open(path) as lines:
        return [Request(json.loads(line)) for line in lines]


def judge_listings(options):
    source, store = read(options.source), read(options.store)
    checks = []
    checks.append(("the source was listed", [] if any("list-type" in r.query for r in source) else ["no listing at all"]))
    checks.append(("no request for an object of the source", [r for r in source if r.key]))
    checks.append(("no request for a blob", [r for r in store if r.key and r.place != STATE_CONTAINER]))
    written = [r for r in source if r.method not in ("GET", "HEAD")]
    checks.append(("nothing was written at the source", written))
    print(f"{len(source)} requests at the source, {len(store)} at the store, {sum(r.place == STATE_CONTAINER for r in store)} of them for records")
    return checks


def judge_once(options):
    source, store = read(options.source), read(options.store)
    reads = [r for r in source if r.method == "GET" and r.key and "tagging" not in r.query and r.status in (200, 206)]
    stored = stored_at(store, options.block)
    again = [r for r in reads if any(at < r.began for at in (stored.get((r.path, None)), stored.get((r.path, block_of(r, options.block)))) if at)]
    received = sum(r.received for r in reads)
    extra = received - options.total
    allowed = options.kills * options.in_flight
    print(f"{received} bytes read of {options.total}, {extra} twice, {allowed} allowed; {sum(r.received for r in again)} bytes in {len(again)} requests after they were stored")
    print(f"{sum(not r.whole for r in source)} requests at the source and {sum(not r.whole for r in store)} at the store were cut off")
    return [
        ("all was read", [] if extra >= 0 else [f"{-extra} bytes too few"]),
        ("nothing stored was read again", again),
        ("only what was in flight was read twice", [] if extra <= allowed else [f"{extra} bytes, {allowed} allowed"]),
        ("nothing was written at the source", [r for r in source if r.method not in ("GET", "HEAD")]),
    ]


def stored_at(store, block):
    """When each object, and each block of a large one, was first stored: (path, None) and (path, index)."""
    found = collections.defaultdict(lambda: float("inf"))
    for r in store:
        if r.method != "PUT" or r.status != 201 or not r.key or r.place == STATE_CONTAINER:
            continue
        what = block_index(r.query["blockid"]) if r.query.get("comp") == "block" else None
        if r.query.get("comp") in (None, "block", "blocklist"):
            found[r.path, what] = min(found[r.path, what], r.ended)
    return dict(found)


def block_index(text):
    """Byte 0 is `I`, twelve bytes name the version of the object, four the index; see the page on formats."""
    raw = base64.b64decode(text)
    assert raw[:1] == b"I", f"not the block id of an import: {text}"
    return int.from_bytes(raw[13:17], "big")


def block_of(request, block):
    return int(request.range.removeprefix("bytes=").split("-")[0]) // block if request.range else "whole"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("judge", choices=["listings", "once"])
    parser.add_argument("source")
    parser.add_argument("store")
    parser.add_argument("--total", type=int)
    parser.add_argument("--kills", type=int)
    parser.add_argument("--in-flight", type=int)
    parser.add_argument("--block", type=int)
    options = parser.parse_args()
    checks = {"listings": judge_listings, "once": judge_once}[options.judge](options)
    for name, found in checks:
        for what in found[:8]:
            print(f"FAIL {name}: {what}")
    failed = sum(bool(found) for _, found in checks)
    print(f"{len(checks) - failed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
