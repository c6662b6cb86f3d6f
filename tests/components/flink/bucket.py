"""What the jobs have left in the bucket, read with boto3."""

import re

import boto3
from botocore.config import Config


class Bucket:
    """Credentials come from the environment."""

    def __init__(self, endpoint, region, ca, name):
        self.name = name
        self.client = boto3.client("s3", endpoint_url=endpoint, region_name=region, verify=ca,
                                   config=Config(s3={"addressing_style": "path"}))

    def keys(self, prefix):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def text(self, key):
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read().decode()

    def files(self, folder):
        """Keys of files that FileSink committed, and of what else lies there (the last bytes of open files)."""
        keys = self.keys(folder)
        committed = [key for key in keys if key.rsplit("/", 1)[1].startswith("part-")]
        return committed, sorted(set(keys) - set(committed))

    def open_uploads(self, folder):
        """Keys of uploads that were begun and neither completed nor aborted."""
        pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.name, Prefix=folder)
        return sorted(entry["Key"] for page in pages for entry in page.get("Uploads", []))

    def key(self, url):
        """The key that s3://BUCKET/KEY names, whatever the scheme."""
        return re.fullmatch(rf"s3[ap]?://{self.name}/(.*)", url)[1]


def mistakes(lines, limit):
    """What is wrong with the lines of job Numbers; nothing, if each number is there once and every key counted on."""
    seen, turns, found = set(), {}, []
    for line in lines:
        number, key, turn, _ = line.split(",")
        if int(number) in seen:
            found.append(f"{number} is there twice")
        seen.add(int(number))
        turns.setdefault(key, []).append(int(turn))
    found += [f"{number} is missing" for number in sorted(set(range(limit)) - seen)]
    found += [f"{number} is too much" for number in sorted(seen - set(range(limit)))]
    for key, counted in turns.items():
        if sorted(counted) != list(range(1, len(counted) + 1)):
            found.append(f"key {key} counted {sorted(counted)[:20]}")
    return found
