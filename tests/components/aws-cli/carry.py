#!/usr/bin/env python3
"""Files carried to a bucket and back by an AWS CLI in the environment of Flink's init container.

That container's pair reads; CARRY_KEY and CARRY_SECRET are a pair that writes too.
"""

import argparse
import hashlib
import os
import pathlib
import shutil
import ssl
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import verdict
from cli import Cli

BUCKET = "local-rocksdb-test"
MIB = 1 << 20
PART = 8 * MIB  # what the CLI cuts files into
SIZES = {"empty": 0, "one": 1, "odd": 1023, "whole": PART - 1, "parts": PART, "many.jar": 3 * PART + 17}


def main():
    arguments = parse()
    place = pathlib.Path(arguments.scratch)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    reader = Cli(arguments.program, arguments.endpoint)
    writer = Cli(arguments.program, arguments.endpoint,
                 AWS_ACCESS_KEY_ID=os.environ["CARRY_KEY"], AWS_SECRET_ACCESS_KEY=os.environ["CARRY_SECRET"])
    version = writer.version()
    print(f"      {version}")
    folder = f"carried/{version.replace('/', '-')}"
    files = make_files(place / "files")
    there_and_back(reader, writer, folder, files, place)
    in_step(reader, writer, folder, files, place)
    streams(reader, writer, folder, files)
    copied(reader, writer, folder, files)
    by_hand(reader, writer, folder, files, place)
    given_up(writer, folder, files)
    presigned(reader, version, folder, files)
    held_back(reader, folder, files)
    removed(writer, folder)


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--scratch", required=True, help="a folder that may be emptied")
    return parser.parse_args()


def make_files(place):
    """An hour old: `sync` takes what is as new as its copy for changed, and copies have whole seconds."""
    names = {**SIZES, "page 1/size=µ/50% + more & #1.txt": 77, "page 1/it's (1)!~.txt": 99}
    for name, size in names.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(size))
        os.utime(path, (time.time() - 3600,) * 2)
    return place


def hashes(place):
    return {str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(place.rglob("*")) if path.is_file()}


def url(*parts):
    return "/".join((f"s3://{BUCKET}", *parts))


def there_and_back(reader, writer, folder, files, place):
    writer.s3("cp", "--recursive", files, url(folder, "tree"))
    reader.s3("cp", "--recursive", url(folder, "tree"), place / "back")
    verdict.equal("cp there and back", hashes(place / "back"), hashes(files))
    etag = reader.api("head-object", "--query", "ETag", bucket=BUCKET, key=f"{folder}/tree/many.jar")
    verdict.check("the large one went in four parts", etag.strip('"').endswith("-4"), etag)


def in_step(reader, writer, folder, files, place):
    sync = ("sync", "--delete", files, url(folder, "tree"))
    verdict.equal("sync finds nothing to do", writer.s3(*sync, "--dryrun"), b"")
    (files / "odd").write_bytes(os.urandom(2047))
    (files / "one").unlink()
    said = sorted(line.split()[1].decode() for line in writer.s3(*sync, "--dryrun").splitlines())
    verdict.equal("sync finds what changed", said, ["delete:", "upload:"])
    writer.s3(*sync)
    reader.s3("sync", "--delete", url(folder, "tree"), place / "back")
    verdict.equal("sync there and back", hashes(place / "back"), hashes(files))


def streams(reader, writer, folder, files):
    content = (files / "many.jar").read_bytes()
    writer.s3("cp", "-", url(folder, "stream"), input=content)
    verdict.check("from a stream and to one", reader.s3("cp", url(folder, "stream"), "-") == content, "another content")


def copied(reader, writer, folder, files):
    writer.s3("cp", url(folder, "tree", "many.jar"), url(folder, "copy"))
    content = reader.s3("cp", url(folder, "copy"), "-")
    verdict.check("copied inside the bucket, in parts", content == (files / "many.jar").read_bytes(), "another content")


def by_hand(reader, writer, folder, files, place):
    named = {"bucket": BUCKET, "key": f"{folder}/by-hand"}
    upload = writer.api("create-multipart-upload", "--query", "UploadId", **named)
    etags = []
    for number, part in enumerate((files / "whole", files / "odd"), 1):
        etags.append(writer.api("upload-part", "--upload-id", upload, "--part-number", number, "--body", part, "--query", "ETag", **named))
    listed = writer.api("list-parts", "--upload-id", upload, "--query", "Parts[].ETag", **named)
    verdict.equal("the parts are listed", listed.split(), etags)
    parts = ",".join(f"{{PartNumber={number},ETag={etag}}}" for number, etag in enumerate(etags, 1))
    writer.api("complete-multipart-upload", "--upload-id", upload, "--multipart-upload", f"Parts=[{parts}]", **named)
    reader.api("get-object", place / "by-hand", **named)
    whole = (files / "whole").read_bytes() + (files / "odd").read_bytes()
    verdict.check("an upload in parts by hand", (place / "by-hand").read_bytes() == whole, "another content")


def given_up(writer, folder, files):
    named = {"bucket": BUCKET, "key": f"{folder}/given-up"}
    upload = writer.api("create-multipart-upload", "--query", "UploadId", **named)
    part = ("--upload-id", upload, "--part-number", 1, "--body", files / "odd")
    writer.api("upload-part", *part, **named)
    writer.api("abort-multipart-upload", "--upload-id", upload, **named)
    said = writer.refusal("s3api", "upload-part", "--bucket", BUCKET, "--key", named["key"], *part)
    verdict.check("an upload that was given up takes no more", "NoSuchUpload" in said, said)


def presigned(reader, version, folder, files):
    address = reader.s3("presign", url(folder, "tree", "odd"), "--expires-in", 300).decode().strip()
    verdict.check("presigned with version 4", "X-Amz-Signature=" in address, address.partition("?")[2][:20])
    verdict.equal("a presigned address is served", fetch(address), (200, (files / "odd").read_bytes()))

    # As it is without the container's file of settings, for the region that has no settings of its own.
    bare = Cli(reader.program, reader.endpoint, AWS_CONFIG_FILE=os.devnull, AWS_REGION="us-east-1", AWS_DEFAULT_REGION="us-east-1")
    address = bare.s3("presign", url(folder, "tree", "odd")).decode().strip()
    old = version.startswith("aws-cli/1.")
    verdict.equal("without that file v1 signs with version 2", "AWSAccessKeyId=" in address, old)
    if old:
        status, answer = fetch(address)
        verdict.check("which is refused, and the remedy named", status == 400 and b"s3.signature_version = s3v4" in answer, (status, answer))


def fetch(address):
    context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
    try:
        with urllib.request.urlopen(address, timeout=60, context=context) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def held_back(reader, folder, files):
    for what, command in {
        "does not write": ("s3", "cp", files / "odd", url(folder, "tree", "many.jar")),
        "does not delete": ("s3", "rm", url(folder, "tree", "many.jar")),
        "does not see another bucket": ("s3", "ls", "s3://local-iceberg-test/"),
    }.items():
        said = reader.refusal(*command)
        verdict.check(f"the container's pair {what}", "AccessDenied" in said, said)


def removed(writer, folder):
    writer.s3("rm", "--recursive", url(folder, ""))
    # `ls` of nothing fails without a word, and prints nothing.
    left = writer.run("--endpoint-url", writer.endpoint, "s3", "ls", "--recursive", url(folder, ""))
    verdict.equal("nothing is left", (left.stdout, left.stderr), (b"", b""))


verdict.run(main)
