#!/usr/bin/env python3
"""Holds the odd source against boto3: what it lists can be read, and it misbehaves as told."""
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

HERE = pathlib.Path(__file__).resolve().parent
TOLD = json.loads((HERE / "odd_objects.json").read_text())
passed, failed = 0, 0


def check(name, held, why=""):
    global passed, failed
    passed, failed = passed + bool(held), failed + (not held)
    if not held:
        print(f"FAIL {name}: {why}")


def client(port, secret="testsecrettestsecret"):
    return boto3.client(
        "s3", endpoint_url=f"http://127.0.0.1:{port}", aws_access_key_id="testaccess", aws_secret_access_key=secret,
        region_name="us-east-1", config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def code(function, **arguments):
    try:
        function(**arguments)
        return "no error"
    except ClientError as error:
        return error.response["Error"]["Code"]
    except Exception as error:
        return type(error).__name__


def keys(s3, bucket, page=3, **more):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": page}, **more)
    return [entry["Key"] for got in pages for entry in got.get("Contents", [])]


def listings(s3):
    wanted = sorted((o["key"] for o in TOLD["buckets"]["odd-keys"]), key=lambda key: key.encode("utf-16", "surrogatepass").decode("utf-16").encode())
    for page in (1, 3, 1000):
        got = keys(s3, "odd-keys", page)
        check(f"listing by {page}", got == wanted, f"{set(wanted) ^ set(got)}")
    got = s3.list_objects_v2(Bucket="odd-keys", Delimiter="/")
    folders = [entry["Prefix"] for entry in got["CommonPrefixes"]]
    check("delimiter", folders == ["./", "/", "a/", "dots/", "x/"], folders)
    check("start after", keys(s3, "odd-keys", StartAfter="dot.")[0] == "dots/...", "")


def reads(s3):
    for told in TOLD["buckets"]["odd-keys"]:
        try:
            body = s3.get_object(Bucket="odd-keys", Key=told["key"])["Body"].read().decode()
        except Exception as error:
            body = str(error)
        check(f"get {told['key']!r}", body == told["body"], body)


def objects(s3):
    get, place = s3.get_object, {"Bucket": "odd-objects"}
    part = s3.head_object(**place, Key="multipart", PartNumber=3)
    check("part", (part["PartsCount"], part["ContentLength"]) == (3, 12_000_000 - 2 * 5_242_880), part)
    check("multipart etag", s3.head_object(**place, Key="multipart of one")["ETag"].endswith('-1"'))
    check("archived", code(get, **place, Key="archived") == "InvalidObjectState")
    check("archived head", s3.head_object(**place, Key="archived")["StorageClass"] == "GLACIER")
    check("customer key", code(get, **place, Key="customer key") == "InvalidRequest")
    check("tag count", get(**place, Key="says three tags")["TagCount"] == 3)
    check("tags", {"Key": "spaces in", "Value": "b c"} in s3.get_object_tagging(**place, Key="tagged")["TagSet"])
    check("if-match", code(get, **place, Key="old", IfMatch='"no"') == "PreconditionFailed")
    check("suffix", get(**place, Key="wrong etag", Range="bytes=-3")["Body"].read() == b"MD5")
    check("range", code(get, **place, Key="old", Range="bytes=1-") == "InvalidRange")
    check("checksum", "ChecksumCRC32" in get(**place, Key="checksum", ChecksumMode="ENABLED"))
    check("metadata", get(**place, Key="described")["Metadata"] == {"a-b": "1", "empty": ""})
    check("absent", code(get, **place, Key="absent") == "NoSuchKey")
    check("writes", code(s3.put_object, **place, Key="x", Body=b"x") == "AccessDenied")


def misbehaviour(s3):
    get, place = s3.get_object, {"Bucket": "misbehaving"}
    read = lambda key: hashlib.sha256(get(**place, Key=key)["Body"].read()).hexdigest()
    check("busy twice", [code(get, **place, Key="busy twice") for _ in range(3)] == ["SlowDown", "SlowDown", "no error"])
    for key in ("cut once", "reset once"):
        check(key, fails(read, key) and not fails(read, key))
    check("corrupt once", len({read("corrupt once") for _ in range(3)}) == 2)
    etag = get(**place, Key="changes between reads")["ETag"]
    check("changed", code(get, **place, Key="changes between reads", IfMatch=etag, Range="bytes=0-9") == "PreconditionFailed")
    check("list busy", code(s3.list_objects_v2, **place) == "SlowDown")
    empty = s3.list_objects_v2(**place)
    check("empty page", empty["IsTruncated"] and empty["KeyCount"] == 0, empty)
    check("after the empty page", len(keys(s3, "misbehaving")) == 6)


def fails(function, *arguments):
    try:
        function(*arguments)
        return False
    except Exception:
        return True


def main():
    with tempfile.NamedTemporaryFile("w+") as log:
        server = subprocess.Popen([sys.executable, HERE / "s3_source_odd_keys.py", HERE / "odd_objects.json", "--log", log.name], stdout=subprocess.PIPE, text=True)
        try:
            port = int(server.stdout.readline())
            s3 = client(port)
            listings(s3), reads(s3), objects(s3), misbehaviour(s3)
            check("wrong secret", code(client(port, "wrong").list_objects_v2, Bucket="odd-keys") == "SignatureDoesNotMatch")
            check("log", len(log.readlines()) > 50)
        finally:
            server.kill()
            server.wait()
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed else 0)


main()
