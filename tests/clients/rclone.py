"""rclone with its S3 backend, configured by environment alone."""
import json
import os
import subprocess

from conversation import BUCKET, CA, ENDPOINT, SCRATCH, answer, run

os.environ.update({
    "RCLONE_CONFIG": os.path.join(SCRATCH, "rclone.conf"),
    "RCLONE_CONFIG_S3_TYPE": "s3",
    "RCLONE_CONFIG_S3_PROVIDER": "Other",
    "RCLONE_CONFIG_S3_ENV_AUTH": "true",
    "RCLONE_CONFIG_S3_REGION": "us-east-1",
    "RCLONE_CONFIG_S3_ENDPOINT": ENDPOINT,
    "RCLONE_CONFIG_S3_FORCE_PATH_STYLE": "true",
    "RCLONE_CONFIG_S3_UPLOAD_CUTOFF": "8M",
    "RCLONE_CONFIG_S3_CHUNK_SIZE": "5M",
    "RCLONE_CONFIG_S3_COPY_CUTOFF": "8M",
    "RCLONE_CONFIG_S3_NO_CHECK_BUCKET": "true",
    "RCLONE_RETRIES": "1",
    "RCLONE_LOW_LEVEL_RETRIES": "2",
})
os.environ.pop("AWS_CA_BUNDLE", None)  # its AWS SDK refuses to add this one to rclone's own transport
if CA:
    os.environ["SSL_CERT_FILE"] = CA
open(os.environ["RCLONE_CONFIG"], "a").close()


def remote(key):
    return f"s3:{BUCKET}/{key}"


def rclone(*arguments):
    return run("rclone", *arguments)


def put(key, file, content_type, metadata):
    headers = [f"--header-upload=Content-Type: {content_type}"]
    headers += [f"--header-upload=x-amz-meta-{name}: {value}" for name, value in metadata.items()]
    rclone("copyto", *headers, file, remote(key))


def put_large(key, file):
    rclone("copyto", file, remote(key))


def get(key, file):
    rclone("copyto", remote(key), file)


def get_range(key, first, last, file):
    done = subprocess.run(["rclone", "cat", "--offset", str(first), "--count", str(last - first + 1), remote(key)], capture_output=True, timeout=300)
    if done.returncode:
        raise RuntimeError(done.stderr.decode()[-900:])
    with open(file, "wb") as out:
        out.write(done.stdout)


def head(key):
    got = json.loads(rclone("lsjson", "--stat", "--metadata", remote(key)))
    metadata = got.get("Metadata") or {}
    kind = metadata.pop("content-type", got.get("MimeType"))
    for name in ("mtime", "btime", "tier"):
        metadata.pop(name, None)
    return {"size": got["Size"], "content_type": kind, "metadata": metadata}


def list_(prefix, delimiter, page):
    root = prefix.rstrip("/")
    recursive = [] if delimiter else ["--recursive"]
    got = json.loads(rclone("lsjson", "--no-mimetype", "--no-modtime", "--s3-list-chunk", str(page), *recursive, remote(root)))
    return {
        "keys": [f"{root}/{e['Path']}" for e in got if not e["IsDir"]],
        "prefixes": [f"{root}/{e['Path']}/" for e in got if e["IsDir"]] if delimiter else [],
    }


def copy(source, key):
    rclone("copyto", remote(source), remote(key))


def delete(key):
    rclone("deletefile", remote(key))


def delete_many(keys):
    names = os.path.join(SCRATCH, "names")
    with open(names, "w") as file:
        file.write("".join(f"/{key}\n" for key in keys))
    rclone("delete", "--files-from-raw", names, f"s3:{BUCKET}")


def presign(key):
    return {"url": rclone("link", "--expire", "5m", remote(key)).strip()}


answer({
    "put": put, "put_large": put_large, "put_new": "no conditional create", "get": get, "get_large": get, "get_range": get_range,
    "head": head, "list": list_, "copy": copy, "copy_large": copy, "multipart": "uploads in parts on its own only (see put large)",
    "abort": "no such command", "delete": delete, "delete_many": delete_many, "presign": presign, "columns": "reads no parquet",
})
