"""The session that a catalog gives out with a table, and what it must not reach.

held_to_its_table loads the table as a client with vended credentials does, and tries what Polaris' policy forbids,
each of which has to be answered with AccessDenied.
"""

import json
import urllib.request

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

import verdict


def held_to_its_table(catalog, namespace, table, endpoint, bucket):
    loaded = load(catalog, namespace, table)
    given = loaded.get("config", {})
    verdict.check("a session token is given out", given.get("s3.session-token"))
    verdict.equal("the endpoint is given out", given.get("s3.endpoint"), endpoint)
    verdict.equal("path style is given out", given.get("s3.path-style-access"), "true")
    folder = loaded["metadata"]["location"].removeprefix(f"s3://{bucket}/")
    s3 = client(given, endpoint)
    inside(s3, bucket, folder)
    outside(s3, bucket, folder)


def load(catalog, namespace, table):
    """The answer of the catalog's loadTable, with a session."""
    address = f"{catalog}/v1/{prefix(catalog)}namespaces/{namespace}/tables/{table}"
    request = urllib.request.Request(address, headers={"X-Iceberg-Access-Delegation": "vended-credentials"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def prefix(catalog):
    with urllib.request.urlopen(f"{catalog}/v1/config?warehouse=iceberg", timeout=30) as answer:
        told = json.load(answer)
    named = {**told.get("defaults", {}), **told.get("overrides", {})}.get("prefix")
    return f"{named}/" if named else ""


def client(given, endpoint):
    config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"})
    return boto3.client(
        "s3", endpoint_url=endpoint, region_name=given.get("client.region", "eu-central-1"), config=config,
        aws_access_key_id=given["s3.access-key-id"], aws_secret_access_key=given["s3.secret-access-key"],
        aws_session_token=given["s3.session-token"],
    )


def inside(s3, bucket, folder):
    s3.put_object(Bucket=bucket, Key=f"{folder}/session", Body=b"in")
    verdict.equal("inside: what is written is read", s3.get_object(Bucket=bucket, Key=f"{folder}/session")["Body"].read(), b"in")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix=f"{folder}/")["Contents"]]
    verdict.check("inside: a list", f"{folder}/session" in keys, keys)
    s3.delete_object(Bucket=bucket, Key=f"{folder}/session")


def outside(s3, bucket, folder):
    inner = {"Bucket": bucket, "Key": f"{folder}/metadata"}
    for what, call in {
        "read": lambda: s3.get_object(Bucket=bucket, Key="beside/x"),
        "write": lambda: s3.put_object(Bucket=bucket, Key="beside/x", Body=b""),
        "write to a sibling": lambda: s3.put_object(Bucket=bucket, Key=f"{folder}2/x", Body=b""),
        "delete": lambda: s3.delete_object(Bucket=bucket, Key="beside/x"),
        "list": lambda: s3.list_objects_v2(Bucket=bucket),
        "copy out": lambda: s3.copy_object(Bucket=bucket, Key="beside/x", CopySource=inner),
        "begin an upload": lambda: s3.create_multipart_upload(Bucket=bucket, Key="beside/x"),
        "another bucket": lambda: s3.put_object(Bucket="local-rocksdb-test", Key="x", Body=b""),
    }.items():
        verdict.equal(f"outside: {what}", code_of(call), "AccessDenied")


def code_of(call):
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "allowed"
