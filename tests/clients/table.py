#!/usr/bin/env python3
"""Runs every S3 client through every operation against one endpoint and prints the table.

Each cell is checked from outside: what a client wrote is read back through a reference client (boto3, in this
process), what a client read was written by the reference, and contents are compared by SHA-256. A cell that a
client cannot fill says why. Ends with `N passed, N failed, N skipped`; exits 1 if a cell failed.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import random
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

HERE = pathlib.Path(__file__).resolve().parent
TARGET = HERE.parent.parent / "target"
SMALL, MIDDLE, LARGE = 1_234, 3_000_001, (20 << 20) + 3
LISTED, PAGE = 1_100, 90
TYPE, METADATA = "text/x-table; charset=utf-8", {"origin": "table", "with-dash": "two words"}

ODD_KEYS = [
    "space in key.txt",
    "plus+plus+.txt",
    "percent%2Fliteral%20.txt",
    "ünïcode/日本語/🎉.txt",
    "equals/day=2026-01-01/a=b.txt",
    "marks/!-_.*'().txt",
    "marks/&$@=;:,.txt",
    "marks/question?and#hash.txt",
    "long/" + "/".join(["n" * 200] * 5)[: 1024],
]


def tools(name):
    return str(TARGET / "venv-tools/bin/python") if name == "tools" else str(TARGET / f"venv-{name}/bin/python")


CLIENTS = {
    "aws-cli-1": ([tools("tools"), "aws_cli.py"], {"AWS_CLI": str(TARGET / "venv-awscli-1/bin/aws")}),
    "aws-cli-2": ([tools("tools"), "aws_cli.py"], {"AWS_CLI": "/usr/bin/aws"}),
    "boto3": ([tools("tools"), "boto3_sdk.py"], {}),
    "boto3-1.35": ([tools("boto3-1.35"), "boto3_sdk.py"], {}),
    "rclone": ([tools("tools"), "rclone.py"], {}),
    "pyarrow": ([tools("tools"), "pyarrow_fs.py"], {}),
    "duckdb": ([tools("tools"), "duckdb_httpfs.py"], {}),
    "js": (["node", "aws_sdk_js.mjs"], {"NODE_CLIENTS": str(TARGET / "node"), "NODE_NO_WARNINGS": "1"}),
}


class Skip(Exception):
    """The client cannot do this."""


class Client:
    """A client program in a process of its own, asked one operation at a time."""

    def __init__(self, name, endpoint):
        self.scratch = tempfile.mkdtemp(prefix=f"table-{name}-")
        command, more = CLIENTS[name]
        self.process = subprocess.Popen(
            [command[0], str(HERE / command[1])], env=self.environment(endpoint, more),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )

    def environment(self, endpoint, more):
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        ca = {name: endpoint.ca for name in ("AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")} if endpoint.ca else {}
        return kept | ca | more | {
            "HOME": self.scratch, "SCRATCH": self.scratch, "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8",
            "S3_ENDPOINT": endpoint.url, "S3_BUCKET": endpoint.bucket, "S3_CA": endpoint.ca or "",
            "AWS_ACCESS_KEY_ID": endpoint.access, "AWS_SECRET_ACCESS_KEY": endpoint.secret, "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1,localhost",
        }

    def ask(self, op, **arguments):
        self.process.stdin.write(json.dumps({"op": op, **arguments}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the client program ended with {self.process.wait()}")
        answer = json.loads(line)
        if "impossible" in answer:
            raise Skip(answer["impossible"])
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["ok"]

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)


class Endpoint:
    """The endpoint under test, seen through the reference client."""

    def __init__(self, options):
        self.url, self.access, self.secret = options.endpoint, options.access_key, options.secret_key
        self.bucket, self.ca = options.bucket, options.ca and os.path.abspath(options.ca)
        self.s3 = boto3.client(
            "s3", endpoint_url=self.url, aws_access_key_id=self.access, aws_secret_access_key=self.secret,
            region_name="us-east-1", verify=self.ca or True, config=Config(max_pool_connections=32, retries={"max_attempts": 2}),
        )

    def put(self, key, body, **more):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **more)

    def get(self, key):
        got = self.s3.get_object(Bucket=self.bucket, Key=key)
        return got["Body"].read(), got

    def exists(self, key):
        try:
            self.s3.head_object(Bucket=self.bucket, Key=key)
            return True
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            return False

    def holds(self, key, content):
        body, got = self.get(key)
        assert sha(body) == sha(content), f"{key!r}: {len(body)} bytes read back, {len(content)} written, contents differ"
        return got

    def remove_all(self, prefix):
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            if entries := page.get("Contents"):
                self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": [{"Key": e["Key"]} for e in entries], "Quiet": True})


def sha(content):
    return hashlib.sha256(content).hexdigest()


class Case:
    """What the cells of one client share: names, contents, files."""

    def __init__(self, name, endpoint, shared, seed):
        self.endpoint, self.shared = endpoint, shared
        self.client = Client(name, endpoint)
        self.prefix = f"table/{name}/"
        self.random = random.Random(f"{seed} {name}")
        self.got_file = os.path.join(self.client.scratch, "got")

    def content(self, size):
        return self.random.randbytes(size)

    def file(self, content):
        path = os.path.join(self.client.scratch, "content")
        pathlib.Path(path).write_bytes(content)
        return path

    def ask(self, op, **arguments):
        return self.client.ask(op, **arguments)

    def fetch(self, op, **arguments):
        pathlib.Path(self.got_file).unlink(missing_ok=True)
        self.ask(op, file=self.got_file, **arguments)
        return pathlib.Path(self.got_file).read_bytes()


def put_small(case):
    key, content = case.prefix + "small", case.content(SMALL)
    case.ask("put", key=key, file=case.file(content), content_type=TYPE, metadata=METADATA)
    case.endpoint.holds(key, content)


def put_empty(case):
    key = case.prefix + "empty"
    case.ask("put", key=key, file=case.file(b""), content_type=TYPE, metadata={})
    case.endpoint.holds(key, b"")


def put_large(case):
    key, content = case.prefix + "large", case.content(LARGE)
    case.ask("put_large", key=key, file=case.file(content))
    etag = case.endpoint.holds(key, content)["ETag"]
    assert "-" in etag, f"not a multipart ETag: {etag}"


def overwrite(case):
    key = case.prefix + "overwritten"
    for size in (MIDDLE, SMALL):
        content = case.content(size)
        case.ask("put", key=key, file=case.file(content), content_type=TYPE, metadata={})
        case.endpoint.holds(key, content)


def put_new(case):
    key, first = case.prefix + "new", case.content(SMALL)
    assert case.ask("put_new", key=key, file=case.file(first))["created"], "the first create was refused"
    assert not case.ask("put_new", key=key, file=case.file(case.content(SMALL)))["created"], "the second create was let through"
    case.endpoint.holds(key, first)


def get(case):
    assert sha(case.fetch("get", key=case.shared.middle_key)) == sha(case.shared.middle), "contents differ"


def get_empty(case):
    assert case.fetch("get", key=case.shared.empty_key) == b"", "not empty"


def get_large(case):
    assert sha(case.fetch("get_large", key=case.shared.large_key)) == sha(case.shared.large), "contents differ"


def get_range(case):
    for first, last in ((0, 0), (1_000, 70_000), (MIDDLE - 10, MIDDLE - 1)):
        got = case.fetch("get_range", key=case.shared.middle_key, first=first, last=last)
        assert sha(got) == sha(case.shared.middle[first:last + 1]), f"bytes {first}-{last} differ"


def metadata_written(case):
    """Content type and metadata that the client wrote, as others see them."""
    key, content = case.prefix + "described", case.content(SMALL)
    kept = case.ask("put", key=key, file=case.file(content), content_type=TYPE, metadata=METADATA).get("kept", ["content type", "metadata"])
    if not kept:
        raise Skip("writes neither content type nor metadata")
    got = case.endpoint.holds(key, content)
    assert got["ContentType"] == TYPE, f"content type {got['ContentType']!r}"
    if "metadata" not in kept:
        return "content type only: writes no metadata of the user's"
    seen = {name: value for name, value in got["Metadata"].items() if name in METADATA}
    assert seen == METADATA, f"metadata {got['Metadata']}"


def metadata_read(case):
    """Content type and metadata that others wrote, as the client sees them."""
    got = case.ask("head", key=case.shared.middle_key)
    assert got["size"] == MIDDLE, f"size {got['size']}"
    assert got["content_type"] == TYPE, f"content type {got['content_type']!r}"
    if got["metadata"] is None:
        return "content type only: shows no metadata"
    assert got["metadata"] == METADATA, f"metadata {got['metadata']}"


def list_pages(case):
    got = case.ask("list", prefix=case.shared.listed, delimiter="", page=PAGE)
    assert sorted(got["keys"]) == sorted(case.shared.keys), difference(got["keys"], case.shared.keys)
    assert got.get("pages", 99) >= LISTED // PAGE, f"only {got.get('pages')} pages"


def list_delimiter(case):
    got = case.ask("list", prefix=case.shared.listed, delimiter="/", page=PAGE)
    assert sorted(got["prefixes"]) == sorted(case.shared.folders), difference(got["prefixes"], case.shared.folders)
    assert sorted(got["keys"]) == sorted(case.shared.top), difference(got["keys"], case.shared.top)


def difference(got, wanted):
    missing, extra = sorted(set(wanted) - set(got)), sorted(set(got) - set(wanted))
    return f"{len(got)} entries, {len(wanted)} wanted; missing {len(missing)} {missing[:3]}, extra {len(extra)} {extra[:3]}"


def copy(case):
    key = case.prefix + "copy of it"
    case.ask("copy", source=case.shared.middle_key, key=key)
    got = case.endpoint.holds(key, case.shared.middle)
    assert got["ContentType"] == TYPE and METADATA.items() <= got["Metadata"].items(), f"{got['ContentType']} {got['Metadata']}"


def copy_large(case):
    key = case.prefix + "large copy"
    case.ask("copy_large", source=case.shared.large_key, key=key)
    case.endpoint.holds(key, case.shared.large)


def multipart(case):
    key, size = case.prefix + "parts", 5 << 20
    content = case.content(2 * size + 17)
    got = case.ask("multipart", key=key, file=case.file(content), part_size=size)
    case.endpoint.holds(key, content)
    parts = [content[i:i + size] for i in range(0, len(content), size)]
    wanted = [hashlib.md5(part).hexdigest() for part in parts]
    assert [etag.strip('"') for etag in got["parts"]] == wanted, f"part ETags {got['parts']}"
    whole = hashlib.md5(b"".join(bytes.fromhex(etag) for etag in wanted)).hexdigest()
    assert got["etag"].strip('"') == f"{whole}-{len(parts)}", f"ETag {got['etag']}"


def abort(case):
    key = case.prefix + "aborted"
    case.ask("abort", key=key, file=case.file(case.content(SMALL)))
    assert not case.endpoint.exists(key), "an aborted upload left an object"


def delete(case):
    key = case.prefix + "to delete"
    case.endpoint.put(key, b"x")
    case.ask("delete", key=key)
    assert not case.endpoint.exists(key), "still there"


def delete_many(case):
    keys = [f"{case.prefix}many/{i:03} of.txt" for i in range(25)]
    for key in keys:
        case.endpoint.put(key, b"x")
    case.ask("delete_many", keys=keys)
    left = [key for key in keys if case.endpoint.exists(key)]
    assert not left, f"{len(left)} still there, {left[0]!r} first"


def odd_keys(case):
    notes = []
    for key in ODD_KEYS:
        name, content = (case.prefix + "odd/" + key)[:1024], case.content(SMALL)
        try:
            case.ask("put", key=name, file=case.file(content), content_type=TYPE, metadata={})
            case.endpoint.holds(name, content)
            assert sha(case.fetch("get", key=name)) == sha(content), "read back differently"
        except Skip as why:
            case.endpoint.put(name, content)
            notes.append(f"{key[:20]}: {why}")
        except Exception as error:
            raise AssertionError(f"{key[:40]!r}: {error}") from error
    wanted = [(case.prefix + "odd/" + key)[:1024] for key in ODD_KEYS]
    got = case.ask("list", prefix=case.prefix + "odd/", delimiter="", page=PAGE)
    assert sorted(got["keys"]) == sorted(wanted), difference(got["keys"], wanted)
    notes += odd_deletes(case, wanted)
    return "; ".join(notes)


def odd_deletes(case, keys):
    for key in keys:
        try:
            case.ask("delete", key=key)
        except Skip as why:
            return [f"delete: {why}"]
        assert not case.endpoint.exists(key), f"{key!r} is still there after delete"
    return []


def presigned(case):
    url = case.ask("presign", key=case.shared.middle_key)["url"]
    assert "X-Amz-Signature=" in url, f"not a version 4 signature: {url}"
    context = ssl.create_default_context(cafile=case.endpoint.ca) if case.endpoint.ca else None
    with urllib.request.urlopen(url, timeout=60, context=context) as got:
        assert sha(got.read()) == sha(case.shared.middle), "contents differ"


def columns(case):
    got = case.ask("columns", key=case.prefix + "columns.parquet")
    assert got == {"rows": 50_000, "sum": sum(range(150_000, 200_000))}, got


OPERATIONS = {
    "put small": put_small, "put empty": put_empty, "put large": put_large, "overwrite": overwrite, "create only": put_new,
    "get": get, "get empty": get_empty, "get large": get_large, "get range": get_range,
    "metadata written": metadata_written, "metadata read": metadata_read, "list pages": list_pages,
    "list delimiter": list_delimiter, "copy": copy, "copy large": copy_large, "multipart": multipart, "abort": abort,
    "delete": delete, "delete many": delete_many, "odd keys": odd_keys, "presigned get": presigned, "parquet columns": columns,
}


class Shared:
    """Objects that all clients read, written once by the reference client."""

    def __init__(self, endpoint, seed):
        made = random.Random(f"{seed} shared")
        self.middle, self.large = made.randbytes(MIDDLE), made.randbytes(LARGE)
        self.middle_key, self.large_key, self.empty_key = "table/shared/middle", "table/shared/large", "table/shared/empty"
        self.listed = "table/shared/list/"
        self.folders = [f"{self.listed}{name}/" for name in ("a", "b c", "day=2026-01-01")]
        self.top = [f"{self.listed}top {i}" for i in range(20)]
        self.keys = self.top + [f"{self.folders[i % 3]}{i:05}" for i in range(LISTED - len(self.top))]
        endpoint.put(self.middle_key, self.middle, ContentType=TYPE, Metadata=METADATA)
        endpoint.put(self.empty_key, b"", ContentType=TYPE)
        self.put_large(endpoint)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda key: endpoint.put(key, b"x"), self.keys))

    def put_large(self, endpoint):
        path = tempfile.NamedTemporaryFile(prefix="table-")
        path.write(self.large)
        path.flush()
        endpoint.s3.upload_file(path.name, endpoint.bucket, self.large_key)


def run_client(name, endpoint, shared, options):
    """All cells of one client, in order."""
    cells = {}
    case = Case(name, endpoint, shared, options.seed)
    try:
        for operation, check in OPERATIONS.items():
            if operation in options.without or (options.operations and operation not in options.operations):
                continue
            cells[operation] = run_cell(check, case)
            if cells[operation]["result"] == "fail":
                print(f"FAIL {name}: {operation}: {cells[operation]['why']}", flush=True)
    finally:
        case.client.close()
    return cells


def run_cell(check, case):
    began = time.monotonic()
    try:
        result, why = "pass", check(case) or ""
    except Skip as skip:
        result, why = "impossible", str(skip)
    except Exception as error:
        result, why = "fail", f"{type(error).__name__}: {error}" if not isinstance(error, AssertionError) else str(error)
    return {"result": result, "why": why, "seconds": round(time.monotonic() - began, 2)}


def show(results, seconds):
    marks = {"pass": "ok", "fail": "FAIL", "impossible": "-", "note": "ok*"}
    width = max(len(name) for name in OPERATIONS) + 1
    columns_ = list(results)
    print("\n" + " " * width + " ".join(f"{name:>10}" for name in columns_))
    for operation in OPERATIONS:
        row = []
        for name in columns_:
            cell = results[name].get(operation)
            mark = "" if cell is None else marks["note" if cell["result"] == "pass" and cell["why"] else cell["result"]]
            row.append(f"{mark:>10}")
        if any(mark.strip() for mark in row):
            print(f"{operation:<{width}}" + " ".join(row))
    print(f"{'seconds':<{width}}" + " ".join(f"{seconds[name]:>10.0f}" for name in columns_))
    print("\nok* and -:")
    for name in columns_:
        for operation, cell in results[name].items():
            if cell["why"] and cell["result"] != "fail":
                print(f"  {name} {operation}: {cell['why']}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--endpoint", required=True, help="for example http://127.0.0.1:9000")
    parser.add_argument("--access-key", required=True)
    parser.add_argument("--secret-key", required=True)
    parser.add_argument("--bucket", required=True, help="a bucket that exists; only keys below table/ are touched")
    parser.add_argument("--ca", help="file with the certificate authority of an https endpoint")
    parser.add_argument("--clients", type=lambda text: text.split(","), default=list(CLIENTS), help=",".join(CLIENTS))
    parser.add_argument("--operations", type=lambda text: text.split(","), help=",".join(OPERATIONS))
    parser.add_argument("--without", type=lambda text: text.split(","), default=[], help="operations to leave out")
    parser.add_argument("--jobs", type=int, default=3, help="clients at once")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", help="where to write the cells")
    return parser.parse_args()


def main():
    options = parse()
    print(f"seed {options.seed}, endpoint {options.endpoint}")
    endpoint = Endpoint(options)
    endpoint.remove_all("table/")
    shared = Shared(endpoint, options.seed)
    results, seconds = {name: {} for name in options.clients}, {}

    def one(name):
        began = time.monotonic()
        results[name] = run_client(name, endpoint, shared, options)
        seconds[name] = time.monotonic() - began

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(one, options.clients))
    endpoint.remove_all("table/")
    show(results, seconds)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"endpoint": options.endpoint, "seed": options.seed, "clients": results}, indent=1))
    count = lambda kind: sum(cell["result"] == kind for cells in results.values() for cell in cells.values())
    print(f"\n{count('pass')} passed, {count('fail')} failed, {count('impossible')} skipped")
    sys.exit(1 if count("fail") or not count("pass") else 0)


if __name__ == "__main__":
    main()
