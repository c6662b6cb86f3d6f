#!/usr/bin/env python3
"""Reads every object of a manifest through an S3 endpoint and compares it with what the manifest says.

Compared: SHA-256 of the bytes, size, content headers, metadata, tags; and that each bucket lists exactly the keys
of the manifest, in order. Ends with `N passed, N failed, N skipped`; exits 1 if anything differs.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import sys
import time

import boto3
from botocore.client import Config

HEADERS = ["ContentType", "CacheControl", "ContentDisposition", "ContentLanguage", "ContentEncoding"]


class Comparer:
    def __init__(self, options):
        self.options = options
        self.s3 = boto3.client(
            "s3", endpoint_url=options.endpoint, aws_access_key_id=options.access_key, aws_secret_access_key=options.secret_key,
            region_name="us-east-1", verify=options.ca or True,
            config=Config(max_pool_connections=options.threads, retries={"max_attempts": 4}, s3={"addressing_style": "path"}),
        )

    def differences(self, entry):
        """Everything about one object that is not as the manifest says."""
        bucket = self.options.map.get(entry["bucket"], entry["bucket"])
        try:
            got = self.s3.get_object(Bucket=bucket, Key=entry["key"])
            size, digest = self.read(got["Body"])
            found = [] if digest == entry["sha256"] else [f"content: {size} bytes, {entry['size']} wanted"]
            found += [f"{name}: {got.get(name)!r}, {entry['headers'].get(name)!r} wanted" for name in HEADERS if got.get(name) != entry["headers"].get(name)]
            if got["Metadata"] != entry["metadata"]:
                found.append(f"metadata: {got['Metadata']}, {entry['metadata']} wanted")
            if self.options.tags and entry["tags"] and (tags := self.tags(bucket, entry["key"])) != entry["tags"]:
                found.append(f"tags: {tags}, {entry['tags']} wanted")
            return found
        except Exception as error:
            return [f"{type(error).__name__}: {error}"]

    def read(self, body):
        digest, size = hashlib.sha256(), 0
        for chunk in body.iter_chunks(1 << 20):
            digest.update(chunk)
            size += len(chunk)
        return size, digest.hexdigest()

    def tags(self, bucket, key):
        return {tag["Key"]: tag["Value"] for tag in self.s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]}

    def listing(self, bucket, wanted):
        """What is wrong with the listing of one bucket."""
        got = []
        try:
            for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.options.map.get(bucket, bucket)):
                got += [(entry["Key"], entry["Size"]) for entry in page.get("Contents", [])]
        except Exception as error:
            return [f"listing: {type(error).__name__}: {error}"]
        right = sorted(wanted, key=lambda entry: entry[0].encode())
        if got == right:
            return []
        missing, extra = sorted(set(right) - set(got)), sorted(set(got) - set(right))
        if not missing and not extra:
            out = next((a, b) for a, b in zip(got, right) if a != b)
            return [f"same keys in another order or twice: {out[0]} where {out[1]} belongs"] if not self.options.any_order else []
        return [f"listing: {len(missing)} missing {missing[:3]}, {len(extra)} more than wanted {extra[:3]}"]


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--access-key", required=True)
    parser.add_argument("--secret-key", required=True)
    parser.add_argument("--ca")
    parser.add_argument("--manifest", required=True)
    parser.add_argument("--map", type=lambda text: dict(pair.split("=") for pair in text.split(",")), default={}, help="other names of the buckets: a=b,c=d")
    parser.add_argument("--threads", type=int, default=12)
    parser.add_argument("--no-tags", dest="tags", action="store_false")
    parser.add_argument("--any-order", action="store_true", help="accept a listing in another order than that of S3")
    return parser.parse_args()


def main():
    options = parse()
    began = time.monotonic()
    with open(options.manifest) as lines:
        entries = [json.loads(line) for line in lines]
    comparer = Comparer(options)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.threads) as pool:
        for entry, found in zip(entries, pool.map(comparer.differences, entries)):
            if found:
                failed += 1
                print(f"DIFFERS {entry['bucket']}/{entry['key'][:200]!r}: {'; '.join(found)[:600]}")
    buckets = collections.defaultdict(list)
    for entry in entries:
        buckets[entry["bucket"]].append((entry["key"], entry["size"]))
    for bucket, wanted in sorted(buckets.items()):
        if found := comparer.listing(bucket, wanted):
            failed += 1
            print(f"DIFFERS {bucket}: {'; '.join(found)[:2000]}")
    total, seconds = sum(entry["size"] for entry in entries), time.monotonic() - began
    print(f"{len(entries)} objects in {len(buckets)} buckets, {total} bytes in {seconds:.0f} s ({total / seconds / 1e6:.0f} MB/s)")
    print(f"{len(entries) + len(buckets) - failed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed or not entries else 0)


if __name__ == "__main__":
    main()
