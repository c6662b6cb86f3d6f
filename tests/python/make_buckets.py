#!/usr/bin/env python3
"""Creates buckets, waiting up to a minute and a half for a server that has just started."""
import argparse
import time

import boto3
from botocore.exceptions import ClientError

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--endpoint", required=True)
parser.add_argument("--access-key", required=True)
parser.add_argument("--secret-key", required=True)
parser.add_argument("--ca")
parser.add_argument("buckets", nargs="+")
options = parser.parse_args()

s3 = boto3.client(
    "s3", endpoint_url=options.endpoint, aws_access_key_id=options.access_key, aws_secret_access_key=options.secret_key,
    region_name="us-east-1", verify=options.ca or True,
)
end = time.monotonic() + 90
for bucket in options.buckets:
    while True:
        try:
            try:
                s3.create_bucket(Bucket=bucket)
            except s3.exceptions.BucketAlreadyOwnedByYou:
                pass
            s3.put_object(Bucket=bucket, Key=".ready", Body=b"x")
            s3.delete_object(Bucket=bucket, Key=".ready")
            break
        except Exception as error:
            refused = isinstance(error, ClientError) and error.response["ResponseMetadata"]["HTTPStatusCode"] < 500
            if refused or time.monotonic() > end:
                raise
            time.sleep(0.5)
