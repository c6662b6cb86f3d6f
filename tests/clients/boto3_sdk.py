"""boto3, of whichever version the interpreter has."""

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.client import Config
from botocore.exceptions import ClientError

from conversation import BUCKET, CA, ENDPOINT, Impossible, answer

s3 = boto3.client("s3", endpoint_url=ENDPOINT, verify=CA or True, config=Config(signature_version="s3v4", retries={"max_attempts": 2}))
transfer = TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=8 << 20)


def put(key, file, content_type, metadata):
    with open(file, "rb") as body:
        s3.put_object(Bucket=BUCKET, Key=key, Body=body, ContentType=content_type, Metadata=metadata)


def put_large(key, file):
    s3.upload_file(file, BUCKET, key, Config=transfer)


def put_new(key, file):
    if "IfNoneMatch" not in s3.meta.service_model.operation_model("PutObject").input_shape.members:
        raise Impossible("this version knows no IfNoneMatch")
    with open(file, "rb") as body:
        try:
            s3.put_object(Bucket=BUCKET, Key=key, Body=body, IfNoneMatch="*")
            return {"created": True}
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 412:
                raise
            return {"created": False}


def get(key, file):
    body = s3.get_object(Bucket=BUCKET, Key=key)["Body"]
    with open(file, "wb") as out:
        for chunk in body.iter_chunks(1 << 20):
            out.write(chunk)


def get_large(key, file):
    s3.download_file(BUCKET, key, file, Config=transfer)


def get_range(key, first, last, file):
    got = s3.get_object(Bucket=BUCKET, Key=key, Range=f"bytes={first}-{last}")
    with open(file, "wb") as out:
        out.write(got["Body"].read())


def head(key):
    got = s3.head_object(Bucket=BUCKET, Key=key)
    return {"size": got["ContentLength"], "content_type": got["ContentType"], "metadata": got["Metadata"]}


def list_(prefix, delimiter, page):
    keys, prefixes, pages = [], [], 0
    for got in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix, Delimiter=delimiter, PaginationConfig={"PageSize": page}):
        pages += 1
        keys += [entry["Key"] for entry in got.get("Contents", [])]
        prefixes += [entry["Prefix"] for entry in got.get("CommonPrefixes", [])]
    return {"keys": keys, "prefixes": prefixes, "pages": pages}


def copy(source, key):
    s3.copy_object(Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": source})


def copy_large(source, key):
    s3.copy({"Bucket": BUCKET, "Key": source}, BUCKET, key, Config=transfer)


def multipart(key, file, part_size):
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    parts = []
    with open(file, "rb") as body:
        while chunk := body.read(part_size):
            number = len(parts) + 1
            got = s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=chunk)
            parts.append({"PartNumber": number, "ETag": got["ETag"]})
    listed = s3.list_parts(Bucket=BUCKET, Key=key, UploadId=upload)["Parts"]
    assert [(p["PartNumber"], p["ETag"]) for p in listed] == [(p["PartNumber"], p["ETag"]) for p in parts], f"ListParts: {listed}"
    etag = s3.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})["ETag"]
    return {"etag": etag, "parts": [p["ETag"] for p in parts]}


def abort(key, file):
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    with open(file, "rb") as body:
        s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=1, Body=body.read())
    s3.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload)
    try:
        s3.list_parts(Bucket=BUCKET, Key=key, UploadId=upload)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchUpload", error
        return
    raise AssertionError("the upload is still there after Abort")


def delete(key):
    s3.delete_object(Bucket=BUCKET, Key=key)


def delete_many(keys):
    got = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys]})
    assert not got.get("Errors"), got["Errors"]
    assert sorted(entry["Key"] for entry in got["Deleted"]) == sorted(keys), "not every key is named as deleted"


def presign(key):
    return {"url": s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": key}, ExpiresIn=300)}


answer({
    "put": put, "put_large": put_large, "put_new": put_new, "get": get, "get_large": get_large, "get_range": get_range,
    "head": head, "list": list_, "copy": copy, "copy_large": copy_large, "multipart": multipart, "abort": abort,
    "delete": delete, "delete_many": delete_many, "presign": presign, "columns": "reads no parquet",
})
