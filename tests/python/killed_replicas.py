#!/usr/bin/env python3
"""Works through boto3, its retries as they come, while replicas behind the endpoint are killed.

Several threads put, get, upload in parts and delete keys of their own until a file appears. Anything that
boto3 raises is a failure that a user would have seen; at the end every key has to have what was
acknowledged last.
"""

import argparse
import io
import os
import random
import sys
import threading

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

PARTS = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, max_concurrency=2)


class Worker(threading.Thread):
    def __init__(self, number, client, arguments):
        super().__init__()
        self.number, self.client, self.arguments = number, client, arguments
        self.random = random.Random(number)
        self.acknowledged, self.requests, self.failures = {}, 0, []

    def run(self):
        version = 0
        while not os.path.exists(self.arguments.until):
            key = f"thread-{self.number}/{self.random.randrange(6)}"
            version += 1
            self.requests += 1
            try:
                self.step(key, version)
            except Exception as error:  # whatever boto3 gives up with
                self.failures.append(f"{key}: {type(error).__name__}: {error}")

    def step(self, key, version):
        bucket, chance = self.arguments.bucket, self.random.random()
        if chance < 0.02:
            path = f"{self.arguments.until}.{self.number}"
            with open(path, "wb") as file:
                file.write(content(key, version, 6 << 20))
            self.client.upload_file(path, bucket, key, Config=PARTS)
            self.acknowledged[key] = (version, 6 << 20)
        elif chance < 0.45:
            size = self.random.choice((0, 10, 5_000, 2_000_000 if chance < 0.05 else 100))
            self.client.put_object(Bucket=bucket, Key=key, Body=content(key, version, size))
            self.acknowledged[key] = (version, size)
        elif chance < 0.5:
            self.client.delete_object(Bucket=bucket, Key=key)
            self.acknowledged[key] = None
        else:
            self.compare(key)

    def compare(self, key):
        last, whole = self.acknowledged.get(key), io.BytesIO()
        try:
            # The one way of boto3 to read that tries again when a body breaks off.
            self.client.download_fileobj(self.arguments.bucket, key, whole)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey") and last is None:
                return
            raise
        body = whole.getvalue()
        if last is None or body != content(key, *last):
            raise AssertionError(f"{len(body)} bytes instead of {last}")


def content(key, version, size):
    unit = f"{key} {version} ".encode()
    return (unit * (size // len(unit) + 1))[:size]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("endpoint", "bucket", "access-key", "secret-key", "until"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--threads", type=int, default=8)
    arguments = parser.parse_args()
    client = boto3.client(
        "s3", endpoint_url=arguments.endpoint, aws_access_key_id=arguments.access_key, region_name="us-east-1",
        aws_secret_access_key=arguments.secret_key, config=Config(s3={"addressing_style": "path"}),
    )
    workers = [Worker(number, client, arguments) for number in range(arguments.threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    failures = [failure for worker in workers for failure in worker.failures]
    lost = []
    for worker in workers:
        for key in worker.acknowledged:
            try:
                worker.compare(key)
            except Exception as error:
                lost.append(f"{key}: {error}")
    for line in (failures + lost)[:20]:
        print(f"FAILED: {line}")
    requests = sum(worker.requests for worker in workers)
    print(f"boto3: {requests} calls, {len(failures)} failed, {len(lost)} acknowledged writes lost", flush=True)
    return 1 if failures or lost or not requests else 0


if __name__ == "__main__":
    sys.exit(main())
