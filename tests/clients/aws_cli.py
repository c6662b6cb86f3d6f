"""The AWS command line, of whichever version AWS_CLI names: `aws s3` for whole objects, `aws s3api` for the rest."""
import json
import os

from conversation import BUCKET, CA, ENDPOINT, SCRATCH, Impossible, answer, run

AWS = os.environ["AWS_CLI"]
CONFIG = os.path.join(SCRATCH, "aws-config")
with open(CONFIG, "w") as file:
    file.write("[default]\nregion = us-east-1\ns3 =\n  signature_version = s3v4\n  addressing_style = path\n  multipart_threshold = 8MB\n  multipart_chunksize = 8MB\n")
os.environ.update(AWS_CONFIG_FILE=CONFIG, AWS_SHARED_CREDENTIALS_FILE="/dev/null", HOME=SCRATCH, AWS_PAGER="", AWS_MAX_ATTEMPTS="2")
if CA:
    os.environ["AWS_CA_BUNDLE"] = CA


def s3(*arguments):
    return run(AWS, "--endpoint-url", ENDPOINT, "s3", *arguments)


def api(operation, *arguments, **more):
    text = run(AWS, "--endpoint-url", ENDPOINT, "--output", "json", "s3api", operation, "--bucket", BUCKET, *arguments, **more)
    return json.loads(text) if text.strip() else {}


def url(key):
    return f"s3://{BUCKET}/{key}"


def put(key, file, content_type, metadata):
    pairs = ",".join(f"{name}={value}" for name, value in metadata.items())
    s3("cp", "--only-show-errors", "--content-type", content_type, *(["--metadata", pairs] if pairs else []), file, url(key))


def put_large(key, file):
    s3("cp", "--only-show-errors", file, url(key))


def put_new(key, file):
    if not knows_conditions():
        raise Impossible("this version has no --if-none-match")
    try:
        api("put-object", "--key", key, "--body", file, "--if-none-match", "*")
        return {"created": True}
    except RuntimeError as error:
        if "PreconditionFailed" not in str(error):
            raise
        return {"created": False}


def get(key, file):
    s3("cp", "--only-show-errors", url(key), file)


def get_range(key, first, last, file):
    api("get-object", "--key", key, "--range", f"bytes={first}-{last}", file)


def head(key):
    got = api("head-object", "--key", key)
    return {"size": got["ContentLength"], "content_type": got["ContentType"], "metadata": got.get("Metadata", {})}


def list_(prefix, delimiter, page):
    arguments = ["--prefix", prefix, "--page-size", str(page)] + (["--delimiter", delimiter] if delimiter else [])
    got = api("list-objects-v2", *arguments)
    return {"keys": [e["Key"] for e in got.get("Contents") or []], "prefixes": [e["Prefix"] for e in got.get("CommonPrefixes") or []]}


def copy(source, key):
    s3("cp", "--only-show-errors", url(source), url(key))


def multipart(key, file, part_size):
    upload = api("create-multipart-upload", "--key", key)["UploadId"]
    parts, part = [], os.path.join(SCRATCH, "part")
    with open(file, "rb") as body:
        while chunk := body.read(part_size):
            with open(part, "wb") as out:
                out.write(chunk)
            number = len(parts) + 1
            got = api("upload-part", "--key", key, "--upload-id", upload, "--part-number", str(number), "--body", part)
            parts.append({"PartNumber": number, "ETag": got["ETag"]})
    listed = api("list-parts", "--key", key, "--upload-id", upload)["Parts"]
    assert [p["ETag"] for p in listed] == [p["ETag"] for p in parts], f"ListParts: {listed}"
    got = api("complete-multipart-upload", "--key", key, "--upload-id", upload, "--multipart-upload", json.dumps({"Parts": parts}))
    return {"etag": got["ETag"], "parts": [p["ETag"] for p in parts]}


def abort(key, file):
    upload = api("create-multipart-upload", "--key", key)["UploadId"]
    api("upload-part", "--key", key, "--upload-id", upload, "--part-number", "1", "--body", file)
    api("abort-multipart-upload", "--key", key, "--upload-id", upload)
    try:
        api("list-parts", "--key", key, "--upload-id", upload)
    except RuntimeError as error:
        assert "NoSuchUpload" in str(error), error
        return
    raise AssertionError("the upload is still there after Abort")


def delete(key):
    s3("rm", "--only-show-errors", url(key))


def delete_many(keys):
    names = os.path.join(SCRATCH, "delete.json")
    with open(names, "w") as file:
        json.dump({"Objects": [{"Key": key} for key in keys]}, file)
    got = api("delete-objects", "--delete", f"file://{names}")
    assert not got.get("Errors"), got["Errors"]
    assert sorted(e["Key"] for e in got["Deleted"]) == sorted(keys), "not every key is named as deleted"


def presign(key):
    return {"url": s3("presign", url(key), "--expires-in", "300").strip()}


def knows_conditions():
    return "IfNoneMatch" in run(AWS, "s3api", "put-object", "--generate-cli-skeleton", "input")


answer({
    "put": put, "put_large": put_large, "put_new": put_new, "get": get, "get_large": get, "get_range": get_range,
    "head": head, "list": list_, "copy": copy, "copy_large": copy, "multipart": multipart, "abort": abort,
    "delete": delete, "delete_many": delete_many, "presign": presign, "columns": "reads no parquet",
})
