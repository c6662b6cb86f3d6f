"""How a client program talks with the table: one JSON request per line in, one JSON answer per line out.

A request names an operation and its arguments: {"op": "put", "key": ..., "file": ...}. The answer is
{"ok": {...}}, {"impossible": "why this client cannot"} or {"error": "what happened"}.
The endpoint comes in the environment: S3_ENDPOINT, S3_BUCKET, S3_CA (may be empty), SCRATCH, AWS_*.

Operations, all optional: put(key, file, content_type, metadata), put_large(key, file), put_new(key, file),
get(key, file), get_large(key, file), get_range(key, first, last, file), head(key), list(prefix, delimiter,
page), copy(source, key), copy_large(source, key), multipart(key, file, part_size), abort(key, file),
delete(key), delete_many(keys), presign(key), columns(key).
"""
import json
import os
import subprocess
import sys

ENDPOINT = os.environ["S3_ENDPOINT"]
BUCKET = os.environ["S3_BUCKET"]
CA = os.environ.get("S3_CA") or None
SCRATCH = os.environ["SCRATCH"]


class Impossible(Exception):
    """The client has no way to do this; the text says why."""


def answer(operations):
    """Serves requests with the functions of `operations` until the input ends."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not mix with the answers
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(attempt(operations, request)), file=out, flush=True)


def attempt(operations, request):
    arguments = dict(request)
    function = operations.get(arguments.pop("op"))
    if function is None:
        return {"impossible": "no such operation in this client"}
    if isinstance(function, str):
        return {"impossible": function}
    try:
        return {"ok": function(**arguments) or {}}
    except Impossible as why:
        return {"impossible": str(why)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:1500]}


def run(*command, check=True, **more):
    """Runs a command line program and returns its output."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **more)
    if check and done.returncode != 0:
        raise RuntimeError(f"exit {done.returncode}: {(done.stderr or done.stdout).strip()[-900:]}")
    return done.stdout
