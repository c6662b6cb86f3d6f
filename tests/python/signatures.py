#!/usr/bin/env python3
"""Random requests signed by botocore, in headers and in URLs: the facade accepts each as it was signed, and none that
was changed afterwards. Keys and queries are made of everything that is encoded in more than one way."""
import argparse
import http.client
import random
import time
import unicodedata
import urllib.parse

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

PIECES = [
    "a", "B", "0", "-", "_", ".", "~", " ", "  ", "+", "%", "%2F", "%25", "%20", "/", "//", "!", "$", "&", "'", "(", ")",
    "*", ",", ";", "=", ":", "@", "?", "#", "[", "]", "^", "`", "{", "|", "}", "\"", "<", ">", "\\", "é", "e\u0301", "ß",
    "漢", "😀", "\u00a0", "\u2028", "..", "./", "key", "part", "\t", "\n", "\x01", "\x7f",
]
# Characters that a path may hold as they are: some clients encode them and some do not.
RAW_IN_PATHS = ["/~", "/~!$&'()*+,;=:@", "/", "/~=", "/~+@:"]
NAMES = ["prefix", "marker", "x-id", "a", "A", "a-b", "a.b", "~", "é", " ", "max-keys", "versionId", "delimiter", "list-type", ""]


def text(rng, longest):
    joined = "".join(rng.choice(PIECES) for _ in range(rng.randint(0, longest)))
    return unicodedata.normalize(rng.choice(["NFC", "NFD"]), joined)


def path(rng, bucket):
    if rng.random() < 0.1:
        return "/" if rng.random() < 0.3 else f"/{bucket}" + rng.choice(["", "/"])
    return f"/{bucket}/" + urllib.parse.quote(text(rng, 12), safe=rng.choice(RAW_IN_PATHS))


def query(rng):
    def pair():
        name, value = urllib.parse.quote(rng.choice(NAMES), safe="~"), urllib.parse.quote(text(rng, 5), safe="~")
        # Nothing between two `&` is a pair to botocore and none to others; no client sends it.
        return name if name and not value and rng.random() < 0.5 else f"{name}={value}"

    pairs = [pair() for _ in range(rng.choice([0, 0, 1, 2, 3, 6]))]
    return "&".join(pairs + pairs[: rng.choice([0, 0, 1])])


def headers(rng):
    values = ["", "b", "a  b", " a\t b ", "a,b", "\"x\"", "a=b; c", "*", "x" * 500]
    chosen = {f"x-amz-meta-{rng.choice('abc')}{n}": rng.choice(values) for n in range(rng.randint(0, 3))}
    for name, value in [("content-type", "text/plain"), ("range", "bytes=0-1"), ("if-match", "\"x\""), ("x-a", " b  c ")]:
        if rng.random() < 0.2:
            chosen[name] = value
    return chosen


def signed(rng, args, credentials):
    """Method, target, headers and body as they shall stand on the wire."""
    method = rng.choice(["GET", "GET", "HEAD", "PUT", "DELETE", "POST"])
    body = b"content" if method == "PUT" else b""
    where, asked = path(rng, args.bucket), query(rng)
    if method != "GET" and where.count("/") < 2 or where == f"/{args.bucket}/":
        method = "GET"  # nothing that is done to the bucket as a whole
        body = b""
    url = f"{args.endpoint}{where}" + (f"?{asked}" if asked else "")
    presigned = rng.random() < 0.3
    # The body of a presigned request is not signed, and botocore would take it for a form.
    request = AWSRequest(method=method, url=url, data=b"" if presigned else body, headers=headers(rng))
    signer = S3SigV4QueryAuth if presigned else S3SigV4Auth
    more = {"expires": 60} if presigned else {}
    signer(credentials, "s3", "us-east-1", **more).add_auth(request)
    split = urllib.parse.urlsplit(args.endpoint)
    target = request.url[len(args.endpoint):]
    return method, target, {"host": split.netloc, **dict(request.headers.items())}, body


def spoiled(rng, method, target, fields, body):
    """The same with one thing changed that the signature covers; `None` if there is no such thing to change."""
    kind = rng.choice(["path", "query", "header", "method"])
    if kind == "method":
        return rng.choice([m for m in ["GET", "HEAD", "DELETE"] if m != method]), target, fields, b""
    if kind == "header":
        names = [name for name in fields if name.lower().startswith("x-amz-meta-")]
        if not names:
            return None
        return method, target, {**fields, rng.choice(names): "changed"}, body
    where, _, asked = target.partition("?")
    if kind == "query":
        return method, f"{where}?{asked}{'&' if asked else ''}{rng.choice(['prefix=q', 'zz', 'a=%41%41'])}", fields, body
    return method, f"{where}{'' if where.endswith('/') else '/'}z{'?' if asked else ''}{asked}", fields, body


class Facade:
    def __init__(self, endpoint):
        self.netloc = urllib.parse.urlsplit(endpoint).netloc
        self.connection = None

    def send(self, method, target, fields, body):
        for attempt in (1, 2):
            try:
                self.connection = self.connection or http.client.HTTPConnection(self.netloc, timeout=30)
                self.connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
                for name, value in fields.items():
                    self.connection.putheader(name, value)
                if body or method in ("PUT", "POST"):
                    self.connection.putheader("content-length", str(len(body)))
                self.connection.endheaders(body)
                answer = self.connection.getresponse()
                content = answer.read()
                if answer.will_close:
                    self.connection = None
                return answer.status, content.decode(errors="replace")
            except (http.client.HTTPException, ConnectionError):
                self.connection = None
                if attempt == 2:
                    raise


def main():
    parser = argparse.ArgumentParser()
    for name in ["endpoint", "access-key", "secret-key", "bucket"]:
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    print(f"seed {args.seed}")
    # http.client refuses targets with control characters; ours are all encoded.
    rng, facade = random.Random(args.seed), Facade(args.endpoint)
    credentials = Credentials(args.access_key, args.secret_key)
    passed = failed = skipped = 0
    for number in range(args.count):
        wire = signed(rng, args, credentials)
        bad = number % 5 == 4
        if bad:
            wire = spoiled(rng, *wire)
            if wire is None:
                skipped += 1
                continue
        status, content = facade.send(*wire)
        refused = status == 403 and ("SignatureDoesNotMatch" in content or wire[0] == "HEAD")
        # A query that cannot be, such as one parameter with two values, is refused before or after the signature.
        right = refused or status == 400 if bad else status != 403 and status < 500 or status == 501
        passed, failed = passed + right, failed + (not right)
        if not right:
            print(f"FAIL {number}: {status} {content[:300]}\n{wire[0]} {wire[1]}\n{wire[2]}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    raise SystemExit(failed > 0 or passed == 0)


main()
