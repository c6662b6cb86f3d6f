#!/usr/bin/env python3
"""Reads with boto3 and PyArrow a file of numbers that DuckDB wrote.

    read_parquet.py --endpoint URL --region NAME --object s3://BUCKET/KEY --rows N

Column n has each number below N. The pair comes from the environment.
"""

import argparse
import io
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import boto3
from botocore.client import Config
from pyarrow import parquet

import verdict


def main():
    arguments = parse()
    s3 = boto3.client("s3", endpoint_url=arguments.endpoint, region_name=arguments.region, config=Config(s3={"addressing_style": "path"}))
    bucket, _, key = arguments.object.removeprefix("s3://").partition("/")
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    numbers = parquet.read_table(io.BytesIO(content))["n"].to_pylist()
    verdict.check(f"each number below {arguments.rows}, once", sorted(numbers) == list(range(arguments.rows)), len(numbers))


def parse():
    parser = argparse.ArgumentParser()
    for name in ("endpoint", "region", "object"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--rows", type=int, required=True)
    return parser.parse_args()


verdict.run(main)
