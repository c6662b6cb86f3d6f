#!/usr/bin/env python3
"""A small strict S3 source for tests: objects with keys that other servers alter, and misbehaviour on demand.

It serves GetObject, HeadObject, ListObjectsV2, GetObjectTagging, HeadBucket and GetBucketLocation from a JSON file,
checks signatures (version 4, in the header) unless --anonymous, and refuses everything else: a source is only read.

    s3_source_odd_keys.py OBJECTS.json [--port 0] [--log REQUESTS.ndjson]     prints its port on the first line

OBJECTS.json: {"buckets": {"NAME": [OBJECT...]}, "faults": [FAULT...]}
OBJECT  key          any string; also {"key_base64": ...} for keys that are no UTF-8
        body         the text; or base64; or size and seed, for content made from a seed
        part_size    the object is multipart with parts of this size (ETag md5(md5s)-N)
        etag         an ETag of your own, right or wrong
        metadata, headers {"Content-Type": ...}, tags {...}, last_modified "2026-01-02T03:04:05Z"
        tag_count    what x-amz-tagging-count says, when it is to lie
        archived     true: storage class GLACIER, GET answers 403 InvalidObjectState
        sse_c        true: GET and HEAD answer 400 without the customer's key
        checksum     true: CRC32 of the whole is shown on whole reads that ask for checksums
FAULT   on           GET, HEAD, LIST or TAGS; key or bucket narrow it down; whole or ranged GETs: "ranged": true/false
        after, times leaves this many alone first (0), then strikes so often (1; -1: always)
        status, code answers this error, with Retry-After if retry_after is there
        truncate     sends this many bytes of the body and closes; reset: true closes with a TCP reset
        stall        sends half of the body and then nothing for so many seconds
        corrupt      flips one bit of the body
        change       {...}: from then on the object is this one instead (members as in OBJECT)
        empty_page   true: LIST answers a truncated page without entries
"""
import argparse
import base64
import datetime
import email.utils
import hashlib
import hmac
import http.server
import json
import random
import re
import socket
import struct
import sys
import threading
import time
import urllib.parse
import zlib

ACCESS_KEY, SECRET_KEY = "testaccess", "testsecrettestsecret"


class Refusal(Exception):
    """An S3 error to answer."""

    def __init__(self, status, code, **headers):
        super().__init__(code)
        self.status, self.code, self.headers = status, code, headers


class Object:
    def __init__(self, told):
        self.told = told
        self.key = base64.b64decode(told["key_base64"]) if "key_base64" in told else told["key"].encode()
        self.body = self.make_body()
        self.parts = self.split()
        self.etag = '"%s"' % told.get("etag", self.true_etag())
        self.modified = datetime.datetime.fromisoformat(told.get("last_modified", "2026-01-02T03:04:05Z").replace("Z", "+00:00"))

    def make_body(self):
        if "base64" in self.told:
            return base64.b64decode(self.told["base64"])
        if "size" in self.told:
            return random.Random(self.told.get("seed", 0)).randbytes(self.told["size"])
        return self.told.get("body", "").encode()

    def split(self):
        size = self.told.get("part_size")
        return [self.body[i:i + size] for i in range(0, len(self.body), size)] or [b""] if size else None

    def true_etag(self):
        if self.parts is None:
            return hashlib.md5(self.body).hexdigest()
        return "%s-%d" % (hashlib.md5(b"".join(hashlib.md5(part).digest() for part in self.parts)).hexdigest(), len(self.parts))

    def changed(self, told):
        return Object(without_content(self.told, told) | told)


def without_content(old, new):
    """What of the old description still holds under the new one."""
    content = {"body", "base64", "size", "seed", "etag"}
    return {name: value for name, value in old.items() if name not in content} if content & new.keys() else old


class Source:
    """The buckets, the faults still to come, and the log of requests."""

    def __init__(self, told, log):
        self.lock = threading.Lock()
        self.buckets = {name: {o.key: o for o in map(Object, objects)} for name, objects in told["buckets"].items()}
        self.faults = [dict(fault) for fault in told.get("faults", [])]
        self.log_file = log

    def bucket(self, name):
        if name not in self.buckets:
            raise Refusal(404, "NoSuchBucket")
        return self.buckets[name]

    def fault(self, on, bucket, key, ranged):
        """The first fault that strikes this request, used up once."""
        with self.lock:
            for fault in self.faults:
                if self.matches(fault, on, bucket, key, ranged) and self.is_due(fault):
                    return fault
        return {}

    def matches(self, fault, on, bucket, key, ranged):
        return (
            fault["on"] == on
            and fault.get("bucket", bucket) == bucket
            and ("key" not in fault or fault["key"].encode() == key)
            and fault.get("ranged", ranged) == ranged
        )

    def is_due(self, fault):
        if fault.get("after", 0) > 0:
            fault["after"] -= 1
            return False
        left = fault.setdefault("times", 1)
        if left > 0:
            fault["times"] = left - 1
        return left != 0

    def change(self, bucket, key, told):
        with self.lock:
            self.buckets[bucket][key] = self.buckets[bucket][key].changed(told)

    def log(self, **entry):
        if self.log_file:
            with self.lock:
                self.log_file.write(json.dumps(entry) + "\n")
                self.log_file.flush()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "source", ""
    disable_nagle_algorithm = True

    def do_GET(self):
        self.handle_request()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

    def handle_request(self):
        self.status = None
        path, _, query = self.path.partition("?")
        self.raw = urllib.parse.unquote_to_bytes(path)
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        try:
            self.check_signature(path, query)
            self.route()
        except Refusal as refusal:
            self.refuse(refusal)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        self.server.source.log(
            method=self.command, target=self.path, status=self.status, range=self.headers.get("Range"),
            if_match=self.headers.get("If-Match"), agent=self.headers.get("User-Agent"), time=round(time.time(), 3),
        )

    def route(self):
        bucket, _, key = self.raw[1:].partition(b"/")
        bucket = bucket.decode("utf-8", "replace")
        objects = self.server.source.bucket(bucket)
        if self.command not in ("GET", "HEAD"):
            raise Refusal(403, "AccessDenied")
        if key:
            return self.tagging(bucket, key) if "tagging" in self.query else self.read(bucket, key)
        if self.command == "HEAD":
            return self.answer(200, b"", {"x-amz-bucket-region": "us-east-1"})
        if "location" in self.query:
            return self.answer(200, b'<?xml version="1.0"?><LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>')
        if self.query.get("list-type") != "2":
            raise Refusal(501, "NotImplemented")
        self.list(bucket, objects)

    # reading one object

    def read(self, bucket, key):
        fault = self.strike("GET" if self.command == "GET" else "HEAD", bucket, key, "Range" in self.headers)
        found = self.server.source.buckets[bucket].get(key)
        if found is None:
            raise Refusal(404, "NoSuchKey")
        self.check_access(found)
        self.check_conditions(found)
        status, first, last, headers = self.selected(found)
        headers |= self.describing(found, status)
        self.send_body(status, found.body[first:last], headers, fault)

    def check_access(self, found):
        if found.told.get("sse_c") and "x-amz-server-side-encryption-customer-key-MD5" not in self.headers:
            raise Refusal(400, "InvalidRequest")
        if found.told.get("archived") and self.command == "GET":
            raise Refusal(403, "InvalidObjectState")

    def check_conditions(self, found):
        wanted = self.headers.get("If-Match")
        if wanted and wanted != "*" and found.etag not in [tag.strip() for tag in wanted.split(",")] and wanted != found.etag.strip('"'):
            raise Refusal(412, "PreconditionFailed")
        if self.headers.get("If-None-Match") in (found.etag, "*"):
            raise Refusal(304, "NotModified", ETag=found.etag)

    def selected(self, found):
        """Which bytes are asked for."""
        size = len(found.body)
        if "partNumber" in self.query:
            number, parts = int(self.query["partNumber"]), found.parts or [found.body]
            if not 1 <= number <= len(parts):
                raise Refusal(416, "InvalidPartNumber")
            first = sum(map(len, parts[:number - 1]))
            last = first + len(parts[number - 1])
            more = {"x-amz-mp-parts-count": str(len(parts))} if found.parts else {}
            return 206, first, last, more | {"Content-Range": f"bytes {first}-{last - 1}/{size}"}
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if not match or match[1] == match[2] == "":
            return 200, 0, size, {}
        first = int(match[1]) if match[1] else max(0, size - int(match[2]))
        last = min(size, int(match[2]) + 1) if match[1] and match[2] else size
        if first >= size or (match[1] and match[2] and int(match[2]) < first):
            raise Refusal(416, "InvalidRange", **{"Content-Range": f"bytes */{size}"})
        return 206, first, last, {"Content-Range": f"bytes {first}-{last - 1}/{size}"}

    def describing(self, found, status):
        headers = {"ETag": found.etag, "Last-Modified": email.utils.format_datetime(found.modified, usegmt=True), "Accept-Ranges": "bytes"}
        headers |= {"Content-Type": "binary/octet-stream"} | found.told.get("headers", {})
        headers |= {f"x-amz-meta-{name}": value for name, value in found.told.get("metadata", {}).items()}
        tags = found.told.get("tag_count", len(found.told.get("tags", {})))
        if tags:
            headers["x-amz-tagging-count"] = str(tags)
        if found.told.get("archived"):
            headers["x-amz-storage-class"] = "GLACIER"
        if status == 200 and found.told.get("checksum") and self.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
            headers["x-amz-checksum-crc32"] = base64.b64encode(struct.pack(">I", zlib.crc32(found.body))).decode()
            headers["x-amz-checksum-type"] = "FULL_OBJECT"
        return headers

    def send_body(self, status, body, headers, fault):
        if fault.get("corrupt") and body:
            body = bytes([body[0] ^ 1]) + body[1:]
        self.begin(status, headers | {"Content-Length": str(len(body))})
        if self.command == "HEAD":
            return
        if "truncate" in fault or fault.get("reset") or "stall" in fault:
            self.break_off(body, fault)
        else:
            self.wfile.write(body)

    def break_off(self, body, fault):
        self.wfile.write(body[:fault.get("truncate", len(body) // 2)])
        self.wfile.flush()
        self.close_connection = True
        time.sleep(fault.get("stall", 0))
        if fault.get("reset"):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def tagging(self, bucket, key):
        self.strike("TAGS", bucket, key, False)
        found = self.server.source.buckets[bucket].get(key)
        if found is None:
            raise Refusal(404, "NoSuchKey")
        tags = "".join(f"<Tag><Key>{xml(k)}</Key><Value>{xml(v)}</Value></Tag>" for k, v in found.told.get("tags", {}).items())
        self.answer(200, f"<?xml version=\"1.0\"?><Tagging><TagSet>{tags}</TagSet></Tagging>".encode())

    def strike(self, on, bucket, key, ranged):
        """Applies the faults that come before the answer, returns the one that concerns the body."""
        fault = self.server.source.fault(on, bucket, key, ranged)
        if "change" in fault:
            self.server.source.change(bucket, key, fault["change"])
        if "status" in fault:
            more = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
            raise Refusal(fault["status"], fault.get("code", "InternalError"), **more)
        return fault

    # listing

    def list(self, bucket, objects):
        fault = self.strike("LIST", bucket, b"", False)
        prefix, delimiter = (self.query.get(name, "").encode() for name in ("prefix", "delimiter"))
        limit = min(1000, int(self.query.get("max-keys", "1000")))
        after = self.query.get("start-after", "").encode()
        if "continuation-token" in self.query:
            after = token_key(self.query["continuation-token"])
        entries, more = [], False
        if fault.get("empty_page"):
            return self.answer(200, self.page(bucket, [], token(after), prefix, delimiter, limit))
        for key in sorted(objects):
            if not key.startswith(prefix) or key <= after or (delimiter and is_folded_before(key, after, prefix, delimiter)):
                continue
            folded = common_prefix(key, prefix, delimiter)
            if folded and entries and entries[-1] == (folded, None):
                continue
            if len(entries) >= limit:
                more = True
                break
            entries.append((folded, None) if folded else (key, objects[key]))
        next_token = token(entries[-1][0]) if more and entries else None
        self.answer(200, self.page(bucket, entries, next_token, prefix, delimiter, limit))

    def page(self, bucket, entries, next_token, prefix, delimiter, limit):
        url = self.query.get("encoding-type") == "url"
        name = lambda key: urllib.parse.quote(key, safe="/-_.~") if url else xml(key.decode("utf-8", "replace"))
        out = ['<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">']
        out.append(f"<Name>{bucket}</Name><Prefix>{name(prefix)}</Prefix><KeyCount>{len(entries)}</KeyCount><MaxKeys>{limit}</MaxKeys>")
        out.append(f"<Delimiter>{name(delimiter)}</Delimiter>" if delimiter else "")
        out.append("<EncodingType>url</EncodingType>" if url else "")
        out.append(f"<IsTruncated>{'true' if next_token else 'false'}</IsTruncated>")
        out.append(f"<NextContinuationToken>{next_token}</NextContinuationToken>" if next_token else "")
        for key, found in entries:
            if found is None:
                out.append(f"<CommonPrefixes><Prefix>{name(key)}</Prefix></CommonPrefixes>")
            else:
                kind = "GLACIER" if found.told.get("archived") else "STANDARD"
                modified = found.modified.strftime("%Y-%m-%dT%H:%M:%S.000Z")
                out.append(
                    f"<Contents><Key>{name(key)}</Key><LastModified>{modified}</LastModified><ETag>{xml(found.etag)}</ETag>"
                    f"<Size>{len(found.body)}</Size><StorageClass>{kind}</StorageClass></Contents>"
                )
        return ("".join(out) + "</ListBucketResult>").encode()

    # signature and answers

    def check_signature(self, path, query):
        if self.server.anonymous:
            return
        match = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8}/[^/]+/s3/aws4_request), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})",
            self.headers.get("Authorization", ""),
        )
        if not match:
            raise Refusal(403, "AccessDenied")
        access, scope, signed, signature = match.groups()
        if access != ACCESS_KEY:
            raise Refusal(403, "InvalidAccessKeyId")
        if not hmac.compare_digest(self.signature(path, query, scope, signed), signature):
            raise Refusal(403, "SignatureDoesNotMatch")

    def signature(self, path, query, scope, signed):
        encode = lambda raw: urllib.parse.quote(raw, safe="-_.~")
        pairs = sorted((encode(urllib.parse.unquote_to_bytes(k)), encode(urllib.parse.unquote_to_bytes(v))) for k, _, v in (p.partition("=") for p in query.split("&") if p))
        headers = "".join(f"{name}:{' '.join(','.join(self.headers.get_all(name, [])).split())}\n" for name in signed.split(";"))
        request = "\n".join([
            self.command, urllib.parse.quote(self.raw, safe="/-_.~"), "&".join(f"{k}={v}" for k, v in pairs), headers, signed,
            self.headers.get("x-amz-content-sha256", ""),
        ])
        to_sign = f"AWS4-HMAC-SHA256\n{self.headers.get('x-amz-date', '')}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = b"AWS4" + SECRET_KEY.encode()
        for word in scope.split("/"):
            key = hmac.digest(key, word.encode(), "sha256")
        return hmac.new(key, to_sign.encode(), "sha256").hexdigest()

    def refuse(self, refusal):
        body = b"" if self.command == "HEAD" or refusal.status == 304 else (
            f'<?xml version="1.0"?><Error><Code>{refusal.code}</Code><Message>{refusal.code}</Message><RequestId>test</RequestId></Error>'.encode()
        )
        if self.command in ("PUT", "POST"):
            self.close_connection = True  # the body was not read
        self.answer(refusal.status, body, refusal.headers)

    def answer(self, status, body, headers=None):
        self.begin(status, {"Content-Type": "application/xml", **(headers or {}), **({} if status == 304 else {"Content-Length": str(len(body))})})
        if self.command != "HEAD":
            self.wfile.write(body)

    def begin(self, status, headers):
        self.status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("x-amz-request-id", "test")
        self.end_headers()

    def log_message(self, *_):
        pass


def common_prefix(key, prefix, delimiter):
    """The common prefix that stands for the key in a listing, if it is not shown itself."""
    end = key.find(delimiter, len(prefix)) if delimiter else -1
    return key[:end + len(delimiter)] if end >= 0 else None


def is_folded_before(key, after, prefix, delimiter):
    folded = common_prefix(key, prefix, delimiter)
    return folded is not None and after.startswith(folded)


def token(key):
    return "t" + base64.urlsafe_b64encode(key).decode().rstrip("=")


def token_key(text):
    if not text.startswith("t"):
        raise Refusal(400, "InvalidArgument")
    return base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))


def xml(text):
    """Escaped as S3 does it, control characters too, though XML 1.0 has no word for them."""
    return re.sub(r"[&<>\"\x00-\x1f]", lambda found: f"&#{ord(found[0])};", str(text))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A client that went away is no news."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("objects")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log")
    parser.add_argument("--anonymous", action="store_true")
    options = parser.parse_args()
    with open(options.objects) as file:
        told = json.load(file)
    server = Server(("127.0.0.1", options.port), Handler)
    server.source = Source(told, open(options.log, "a") if options.log else None)
    server.anonymous = options.anonymous
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
