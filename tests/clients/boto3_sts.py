"""boto3 against the facade's token service: assumes a role with the policy that Polaris vends, and works with it.

Arguments: endpoint, access key, secret key, bucket, and the folder of the facade's sealing keys, which are turned
while it runs. Ends with `N passed, N failed, N skipped`.
"""

import json
import pathlib
import secrets
import sys
import time

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

ENDPOINT, ACCESS, SECRET, BUCKET, KEYS = sys.argv[1:6]
TABLE = "ns/python table"
ROLE = "arn:aws:iam::123456789012:role/polaris"
passed = failed = 0


def main():
    owner = client("s3", access(ACCESS, SECRET))
    owner.put_object(Bucket=BUCKET, Key="beside/x", Body=b"beside")
    sts = client("sts", access(ACCESS, SECRET))
    answer = assume(sts)
    check("the answer is complete", answer["PackedPolicySize"] > 0 and answer["Credentials"]["Expiration"].year > 2000)
    table = client("s3", session(answer))
    inside(table)
    outside(table)
    check("who the session is", client("sts", session(answer)).get_caller_identity()["Account"] == "123456789012")
    refused("a session of a session", "AccessDenied", lambda: assume(client("sts", session(answer))))
    refused("a name with a blank", "ValidationError", lambda: assume(sts, DurationSeconds=900, RoleSessionName="blank in it"))
    refused("no policy", "MalformedPolicyDocument", lambda: assume(sts, Policy="[]"))
    refused("too large a policy", "ValidationError", lambda: assume(sts, Policy=json.dumps({"Statement": "x" * 3000})))
    refused("another secret", "SignatureDoesNotMatch", lambda: assume(client("sts", access(ACCESS, "not the secret of it"))))
    refused("another id", "InvalidClientTokenId", lambda: assume(client("sts", access("AKNOBODY", SECRET))))
    url = table.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": f"{TABLE}/data"})
    check("a presigned URL carries the session", read_url(url) == b"content")
    turn_keys(sts, table)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(failed > 0)


def inside(table):
    table.put_object(Bucket=BUCKET, Key=f"{TABLE}/data", Body=b"content")
    check("what was written is read", table.get_object(Bucket=BUCKET, Key=f"{TABLE}/data")["Body"].read() == b"content")
    keys = [entry["Key"] for entry in table.list_objects_v2(Bucket=BUCKET, Prefix=f"{TABLE}/")["Contents"]]
    check("the table is listed", keys == [f"{TABLE}/data"])
    table.copy_object(Bucket=BUCKET, Key=f"{TABLE}/copy", CopySource={"Bucket": BUCKET, "Key": f"{TABLE}/data"})
    entries = [{"Key": f"{TABLE}/copy"}, {"Key": "beside/x"}]
    deleted = table.delete_objects(Bucket=BUCKET, Delete={"Objects": entries})
    check("of two deletes the one inside is done", len(deleted["Deleted"]) == 1 and deleted["Errors"][0]["Code"] == "AccessDenied")


def outside(table):
    inner = {"Bucket": BUCKET, "Key": f"{TABLE}/data"}
    for what, call in {
        "read": lambda: table.get_object(Bucket=BUCKET, Key="beside/x"),
        "write": lambda: table.put_object(Bucket=BUCKET, Key="beside/y", Body=b""),
        "write to a sibling": lambda: table.put_object(Bucket=BUCKET, Key=f"{TABLE}2/y", Body=b""),
        "delete": lambda: table.delete_object(Bucket=BUCKET, Key="beside/x"),
        "list": lambda: table.list_objects_v2(Bucket=BUCKET),
        "list a sibling": lambda: table.list_objects_v2(Bucket=BUCKET, Prefix=f"{TABLE}2/"),
        "copy out": lambda: table.copy_object(Bucket=BUCKET, Key="beside/y", CopySource=inner),
        "copy in": lambda: table.copy_object(Bucket=BUCKET, Key=f"{TABLE}/y", CopySource={"Bucket": BUCKET, "Key": "beside/x"}),
        "begin an upload": lambda: table.create_multipart_upload(Bucket=BUCKET, Key="beside/y"),
    }.items():
        refused(f"{what}, outside", "AccessDenied", call)


def turn_keys(sts, table):
    """The current key becomes the previous one, and then is taken away."""
    folder = pathlib.Path(KEYS)
    (folder / "previous").write_text((folder / "current").read_text())
    (folder / "current").write_text(secrets.token_hex(32))
    # The facade looks at its files every five seconds.
    time.sleep(7)
    newer = client("s3", session(assume(sts)))
    works = lambda one: one.head_object(Bucket=BUCKET, Key=f"{TABLE}/data")["ContentLength"] == 7
    check("sessions of both keys work", works(table) and works(newer))
    (folder / "previous").unlink()
    end = time.monotonic() + 20
    while time.monotonic() < end and code_of(lambda: table.get_object(Bucket=BUCKET, Key=f"{TABLE}/data")) != "InvalidToken":
        time.sleep(0.5)
    refused("a session of a removed key", "InvalidToken", lambda: table.get_object(Bucket=BUCKET, Key=f"{TABLE}/data"))
    check("the newer session goes on", works(newer))


def assume(sts, **changes):
    asked = {"RoleArn": ROLE, "RoleSessionName": "polaris-python", "Policy": json.dumps(policy()), "DurationSeconds": 3600, "ExternalId": "polaris"}
    return sts.assume_role(**{**asked, **changes})


def policy():
    bucket, objects = f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/{TABLE}/*"
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:PutObject", "s3:DeleteObject"], "Resource": objects},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket, "Condition": {"StringLike": {"s3:prefix": f"{TABLE}/*"}}},
        {"Effect": "Allow", "Action": "s3:GetBucketLocation", "Resource": bucket},
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": objects},
    ]}


def access(key, secret):
    return {"aws_access_key_id": key, "aws_secret_access_key": secret}


def session(answer):
    given = answer["Credentials"]
    return access(given["AccessKeyId"], given["SecretAccessKey"]) | {"aws_session_token": given["SessionToken"]}


def client(service, credentials):
    config = Config(retries={"max_attempts": 1}, signature_version=None if service == "sts" else "s3v4", s3={"addressing_style": "path"})
    return boto3.client(service, endpoint_url=ENDPOINT, region_name="us-east-1", config=config, **credentials)


def read_url(url):
    import urllib.request
    with urllib.request.urlopen(url) as answer:
        return answer.read()


def code_of(call):
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def refused(what, code, call):
    told = code_of(call)
    check(f"{what}: {told}", told == code)


def check(what, right):
    global passed, failed
    print("ok   " if right else "FAIL ", what, sep="")
    passed, failed = passed + bool(right), failed + (not right)


main()
