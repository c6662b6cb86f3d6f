"""pyarrow's S3FileSystem (the AWS C++ SDK) and its parquet reader."""
import os
import shutil

import pyarrow as pa
import pyarrow.fs as fs
import pyarrow.parquet as pq

from conversation import BUCKET, CA, ENDPOINT, answer

scheme, host = ENDPOINT.split("://")
s3 = fs.S3FileSystem(
    access_key=os.environ["AWS_ACCESS_KEY_ID"],
    secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
    region="us-east-1",
    scheme=scheme,
    endpoint_override=host.rstrip("/"),
    **({"tls_ca_file_path": CA} if CA else {}),
)


def path(key):
    return f"{BUCKET}/{key}"


def put(key, file, content_type, metadata):
    with open(file, "rb") as body, s3.open_output_stream(path(key), metadata={"Content-Type": content_type}) as out:
        shutil.copyfileobj(body, out, 1 << 20)
    return {"kept": ["content type"]}


def put_large(key, file):
    with open(file, "rb") as body, s3.open_output_stream(path(key)) as out:
        shutil.copyfileobj(body, out, 1 << 20)


def get(key, file):
    with s3.open_input_stream(path(key)) as body, open(file, "wb") as out:
        shutil.copyfileobj(body, out, 1 << 20)


def get_range(key, first, last, file):
    with s3.open_input_file(path(key)) as body, open(file, "wb") as out:
        body.seek(first)
        out.write(body.read(last - first + 1))


def head(key):
    with s3.open_input_stream(path(key)) as body:
        found = body.metadata()
    return {"size": s3.get_file_info(path(key)).size, "content_type": found["Content-Type"].decode(), "metadata": None}


def list_(prefix, delimiter, page):
    found = s3.get_file_info(fs.FileSelector(path(prefix.rstrip("/")), recursive=not delimiter))
    names = lambda kind: [info.path[len(BUCKET) + 1:] for info in found if info.type == kind]
    return {"keys": names(fs.FileType.File), "prefixes": [name + "/" for name in names(fs.FileType.Directory)] if delimiter else []}


def copy(source, key):
    s3.copy_file(path(source), path(key))


def delete(key):
    s3.delete_file(path(key))


def delete_many(keys):
    """Deletes the common folder of the keys: the only way pyarrow sends DeleteObjects."""
    folder = os.path.commonpath(keys)
    s3.delete_dir(path(folder))


def columns(key):
    table = pa.table({"n": range(200_000), "text": [f"row {i}" for i in range(200_000)]})
    pq.write_table(table, path(key), filesystem=s3, row_group_size=50_000)
    got = pq.read_table(path(key), filesystem=s3, columns=["n"], filters=[("n", ">=", 150_000)])
    return {"rows": got.num_rows, "sum": sum(got["n"].to_pylist())}


answer({
    "put": put, "put_large": put_large, "put_new": "no conditional create", "get": get, "get_large": get, "get_range": get_range,
    "head": head, "list": list_, "copy": copy, "copy_large": "copies with one CopyObject whatever the size (see copy)",
    "multipart": "uploads in parts on its own only (see put large)", "abort": "no such call", "delete": delete,
    "delete_many": delete_many, "presign": "no such call", "columns": columns,
})
