#!/usr/bin/env python3
"""Fills three buckets of an S3 endpoint with objects made from a seed, and writes a manifest of what it put.

Sizes go from 0 bytes to 64 MiB and add up to the total asked for; one more object is big. Some are multipart,
most carry metadata and content headers, some have keys that programs like to break. The manifest is NDJSON, one
object per line: bucket, key, size, sha256, metadata, headers, tags, parts. The same arguments make the same objects.
"""
import argparse
import concurrent.futures
import hashlib
import json
import random
import threading
import time
import urllib.parse

import boto3
from botocore.client import Config

MIB = 1 << 20
BIGGEST = 64 * MIB
PART = 8 * MIB
BLOCK = random.Random("content").randbytes(MIB)
EDGES = [0, 0, 1, 2, 63, 64, 65, 4_095, 4_096, 65_535, 65_536, 65_537, MIB - 1, MIB, MIB + 1, 4 * MIB - 1, 4 * MIB, 4 * MIB + 1, PART - 1, PART, PART + 1]
LARGE = [16 * MIB + 1, 12 * MIB, 20 * MIB - 1, 33 * MIB + 7, BIGGEST]
TYPES = ["application/octet-stream", "text/plain; charset=utf-8", "application/json", "application/vnd.apache.parquet", "image/png", "application/x-directory"]

ODD_KEYS = [
    "odd/two words.txt",
    "odd/ leading space",
    "odd/a+b+c.txt",
    "odd/already%2Fescaped%20.txt",
    "odd/percent%.txt",
    "odd/day=2026-01-01/hour=00/part.parquet",
    "odd/ümläut/日本語/ключ/🎉.bin",
    "odd/combining-e\u0301-and-\u00e9.txt",
    "odd/marks-!-_.*'().txt",
    "odd/marks-&$@=;:,.txt",
    "odd/question?hash#amp&.txt",
    "odd/<angle>\"quote\".xml",
    "odd/~tilde^caret`tick{brace}|pipe.txt",
    "odd/UPPER.TXT",
    "odd/upper.txt",
    "odd/a",
    "odd/a!",
    "odd/a-b",
    "odd/a/b",
    "odd/a0",
    "odd/\uffee-before-the-last-plane",
    "odd/\U0001f600-after-it",
]
# SeaweedFS lists folder by folder, drops metadata without a value, and guesses a type where it was told octet-stream.
OUT_OF_TREE_ORDER = {"odd/a/b"}

ODD_METADATA = [
    {"with-dash": "1", "under_score": "2"},
    {"dotted.name": "3", "1digit": "4"},
    {"empty": "", "spaces": "two  words inside"},
    {"long": "v" * 1_500},
    {"quoted": "\"a\", 'b'; c=d\\e", "percent": "100%25"},
]


def exactly(key, length):
    """The key with path segments of letters behind it, up to a length in bytes."""
    missing = length - len(key.encode())
    return key + "".join("/" if i % 150 == 149 else "n" for i in range(missing - 1)) + "n"


def plan(options):
    """Yields everything to be put, the big object first so that it does not come last alone."""
    made = random.Random(options.seed)
    buckets = options.buckets
    yield describe(made, buckets[0], "big/one object.bin", options.big + 5, parts=64 * MIB)
    odd = ODD_KEYS + [exactly("odd/long-1024", 1024), exactly("odd/long-äöü-1023", 1023)]
    if options.seaweedfs:
        odd = [key for key in odd if key not in OUT_OF_TREE_ORDER]
    names = [(bucket, key) for bucket in buckets for key in odd][: max(0, options.count // 4)]
    for number in range(options.count - len(names)):
        names.append((buckets[number % 3], layout(number)))
    sizes = spread(made, len(names), options.total)
    for number, ((bucket, key), size) in enumerate(zip(names, sizes)):
        described = describe(made, bucket, key, size, parts=PART if size > PART or made.random() < 0.03 else None)
        if number % 40 == 39:
            described["metadata"] = ODD_METADATA[number // 40 % len(ODD_METADATA)]
        yield without_what_seaweedfs_alters(described) if options.seaweedfs else described


def without_what_seaweedfs_alters(described):
    described["metadata"] = {name: value or "-" for name, value in described["metadata"].items()}
    if described["headers"]["ContentType"] == "application/octet-stream":
        described["headers"]["ContentType"] = "application/x-something"
    return described


def layout(number):
    """Keys as the reference buckets have them: job folders, table folders, flat files."""
    kind = number % 9 // 3
    if kind == 0:
        return f"flink/job-{number % 7}/chk-{number // 50}/{number:08x}"
    if kind == 1:
        return f"warehouse/db/table_{number % 5}/data/day={1 + number % 28:02}/{number:06}-part.parquet"
    return f"files/{number % 100:02}/{number:07}.sst"


def spread(made, count, total):
    """Sizes over all magnitudes whose sum is the total, or as near as the bounds let it."""
    fixed = EDGES * 3 + LARGE * max(1, count // 1_000)
    if sum(fixed) > total * 2 // 3:
        fixed = [size for size in EDGES if size <= total // 100]
    sizes = [fixed[i] if i < len(fixed) else int(2 ** made.uniform(0, 16)) for i in range(count)]
    left = total - sum(sizes)
    open_ = list(range(min(count, len(fixed)), count))
    made.shuffle(open_)
    for number, index in enumerate(open_):
        if left <= 0:
            break
        fair = left / (len(open_) - number)
        more = min(int(made.expovariate(1 / fair)) if number < len(open_) - 1 else left, BIGGEST - sizes[index], left)
        sizes[index] += more
        left -= more
    made.shuffle(sizes)
    return sizes


def describe(made, bucket, key, size, parts):
    headers = {"ContentType": made.choice(TYPES)}
    if made.random() < 0.3:
        headers["CacheControl"] = "max-age=3600, private"
    if made.random() < 0.2:
        headers["ContentDisposition"] = 'attachment; filename="a b.bin"'
    if made.random() < 0.1:
        headers["ContentLanguage"] = "de, en"
    if made.random() < 0.1:
        headers["ContentEncoding"] = "identity"
    metadata = {f"name-{i}": f"value {made.randrange(10**9)}" for i in range(made.choice([0, 1, 1, 2, 5]))}
    tags = {"team": f"t{made.randrange(9)}", "of the": "seed=1"} if made.random() < 0.05 and not parts else {}
    return {"bucket": bucket, "key": key, "size": size, "content": made.randrange(1 << 62), "metadata": metadata, "headers": headers, "tags": tags, "parts": parts}


def content(seed, first, last):
    """Bytes of an object: a fixed block of noise, turned by the seed, with every 64 KiB marked by its position."""
    turn = seed % MIB
    out = bytearray()
    at = first
    while at < last:
        inside = (at + turn) % MIB
        taken = BLOCK[inside:min(MIB, inside + last - at)]
        out += taken
        at += len(taken)
    step = 64 << 10
    for mark in range(-(-first // step) * step, last - 15, step):
        out[mark - first:mark - first + 16] = seed.to_bytes(8, "big") + mark.to_bytes(8, "big")
    return bytes(out)


class Filler:
    def __init__(self, options):
        self.options = options
        self.s3 = boto3.client(
            "s3", endpoint_url=options.endpoint, aws_access_key_id=options.access_key, aws_secret_access_key=options.secret_key,
            region_name="us-east-1", verify=options.ca or True,
            config=Config(max_pool_connections=options.threads * 2, retries={"max_attempts": 6}, request_checksum_calculation="when_required"),
        )
        self.parts_pool = concurrent.futures.ThreadPoolExecutor(4)
        self.lock = threading.Lock()

    def put(self, entry, out):
        place = {"Bucket": entry["bucket"], "Key": entry["key"]}
        more = {"Metadata": entry["metadata"], **entry["headers"]}
        if entry["parts"]:
            digest = self.put_parts(entry, place, more)
        else:
            body = content(entry["content"], 0, entry["size"])
            digest = hashlib.sha256(body).hexdigest()
            tagging = {"Tagging": "&".join(f"{quote(k)}={quote(v)}" for k, v in entry["tags"].items())} if entry["tags"] else {}
            self.s3.put_object(**place, **more, **tagging, Body=body)
        line = json.dumps({**entry, "sha256": digest}, ensure_ascii=True)
        with self.lock:
            out.write(line + "\n")

    def put_parts(self, entry, place, more):
        """Uploads the parts in parallel, at most four at once, and hashes the whole in order."""
        upload = self.s3.create_multipart_upload(**place, **more)["UploadId"]
        whole, parts, waiting = hashlib.sha256(), [], []
        for number, first in enumerate(range(0, entry["size"] or 1, entry["parts"]), 1):
            body = content(entry["content"], first, min(entry["size"], first + entry["parts"]))
            whole.update(body)
            waiting.append(self.parts_pool.submit(self.put_part, place, upload, number, body))
            if len(waiting) == 4:
                parts.append(waiting.pop(0).result())
        parts += [part.result() for part in waiting]
        self.s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})
        return whole.hexdigest()

    def put_part(self, place, upload, number, body):
        got = self.s3.upload_part(**place, UploadId=upload, PartNumber=number, Body=body)
        return {"PartNumber": number, "ETag": got["ETag"]}


def quote(text):
    return urllib.parse.quote(text, safe="")


def size(text):
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    return int(float(text[:-1]) * units[text[-1]]) if text[-1] in units else int(text)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--access-key", required=True)
    parser.add_argument("--secret-key", required=True)
    parser.add_argument("--ca")
    parser.add_argument("--buckets", type=lambda text: text.split(","), required=True, help="three that exist")
    parser.add_argument("--manifest", required=True)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--total", type=size, default=size("400M"), help="bytes of all but the big object, as 400M or 4G")
    parser.add_argument("--big", type=size, default=size("200M"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=12)
    parser.add_argument("--seaweedfs", action="store_true", help="leave out what SeaweedFS is known to alter")
    options = parser.parse_args()
    if len(options.buckets) != 3:
        parser.error("--buckets takes three names")
    return options


def main():
    options = parse()
    began = time.monotonic()
    filler = Filler(options)
    entries = list(plan(options))
    with open(options.manifest, "w") as out, concurrent.futures.ThreadPoolExecutor(options.threads) as pool:
        for done in [pool.submit(filler.put, entry, out) for entry in entries]:
            done.result()
    total, seconds = sum(entry["size"] for entry in entries), time.monotonic() - began
    print(f"seed {options.seed}: {len(entries)} objects, {total} bytes, {sum(bool(e['parts']) for e in entries)} multipart, in {seconds:.0f} s ({total / seconds / 1e6:.0f} MB/s)")


if __name__ == "__main__":
    main()
