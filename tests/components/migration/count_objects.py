#!/usr/bin/env python3
"""Prints how many objects lie in the buckets of an S3 endpoint, and how many bytes, as boto3 lists them.

The pair comes from the environment.
"""

import argparse

import boto3
from botocore.client import Config

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--endpoint", required=True)
parser.add_argument("--region", required=True)
parser.add_argument("buckets", nargs="+")
arguments = parser.parse_args()

s3 = boto3.client("s3", endpoint_url=arguments.endpoint, region_name=arguments.region, config=Config(s3={"addressing_style": "path"}))
pages = s3.get_paginator("list_objects_v2")
sizes = [
    entry["Size"]
    for bucket in arguments.buckets
    for page in pages.paginate(Bucket=bucket)
    for entry in page.get("Contents", [])
]
print(len(sizes), sum(sizes))
