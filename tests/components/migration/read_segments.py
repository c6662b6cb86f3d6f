#!/usr/bin/env python3
"""Reads the segments that the agents wrote with boto3, which is none of them, and compares bytes and list.

    read_segments.py --endpoint URL --region NAME --bucket NAME --manifest FILE

The manifest has a line of JSON per segment: key, size, sha256. The pair comes from the environment.
"""

import argparse
import hashlib
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import boto3
from botocore.client import Config

import verdict


def main():
    arguments = parse()
    s3 = boto3.client("s3", endpoint_url=arguments.endpoint, region_name=arguments.region, config=Config(s3={"addressing_style": "path"}))
    with open(arguments.manifest) as file:
        wanted = {one["key"]: (one["size"], one["sha256"]) for one in map(json.loads, file)}
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=arguments.bucket)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    verdict.equal("the bucket has the segments of the manifest and nothing else", keys, sorted(wanted))
    read = {key: hashed(s3.get_object(Bucket=arguments.bucket, Key=key)["Body"]) for key in keys}
    verdict.check(f"{len(read)} segments are what was written", read == wanted,
                  [key for key in wanted if read.get(key) != wanted[key]][:5])


def parse():
    parser = argparse.ArgumentParser()
    for name in ("endpoint", "region", "bucket", "manifest"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_args()


def hashed(body):
    content = body.read()
    return len(content), hashlib.sha256(content).hexdigest()


verdict.run(main)
