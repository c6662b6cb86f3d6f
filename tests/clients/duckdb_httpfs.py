"""DuckDB with its httpfs extension: reads by ranges, writes whole files."""
import glob
import os

import duckdb
import duckdb_extension_httpfs

from conversation import BUCKET, CA, ENDPOINT, Impossible, answer

scheme, host = ENDPOINT.split("://")
db = duckdb.connect()
extension = glob.glob(os.path.dirname(duckdb_extension_httpfs.__file__) + "/**/*.duckdb_extension*", recursive=True)[0]
db.execute(f"LOAD '{extension}'")
if CA:
    db.execute(f"SET ca_cert_file = '{CA}'")
    db.execute("SET enable_server_cert_verification = true")
db.execute("SET s3_uploader_max_filesize = '50GB'")  # a ten-thousandth of it is the size of a part
db.execute(
    f"CREATE SECRET s (TYPE s3, KEY_ID '{os.environ['AWS_ACCESS_KEY_ID']}', SECRET '{os.environ['AWS_SECRET_ACCESS_KEY']}', "
    f"REGION 'us-east-1', ENDPOINT '{host.rstrip('/')}', URL_STYLE 'path', USE_SSL {'true' if scheme == 'https' else 'false'})"
)


def url(key):
    if any(letter in key for letter in "*?["):
        raise Impossible("takes *, ? and [ in a name for a pattern")
    return f"s3://{BUCKET}/{key}".replace("'", "''")


def put(key, file, content_type, metadata):
    if os.path.getsize(file) == 0:
        raise Impossible("sends nothing at all for an empty file")
    db.execute(f"COPY (SELECT content FROM read_blob('{file}')) TO '{url(key)}' (FORMAT blob)")
    return {"kept": []}


def put_large(key, file):
    put(key, file, None, None)


def get(key, file):
    rows = db.execute(f"SELECT content FROM read_blob('{url(key)}')").fetchall()
    assert len(rows) == 1, f"{len(rows)} files matched"
    with open(file, "wb") as out:
        out.write(rows[0][0])


def list_(prefix, delimiter, page):
    if delimiter:
        raise Impossible("globs list files alone")
    return {"keys": [row[0].removeprefix(f"s3://{BUCKET}/") for row in db.execute(f"SELECT file FROM glob('s3://{BUCKET}/{prefix}**')").fetchall()], "prefixes": []}


def columns(key):
    db.execute(f"COPY (SELECT i AS n, 'row ' || i AS text FROM range(200000) r(i)) TO '{url(key)}' (FORMAT parquet, ROW_GROUP_SIZE 50000)")
    rows, total = db.execute(f"SELECT count(n), sum(n) FROM read_parquet('{url(key)}') WHERE n >= 150000").fetchone()
    return {"rows": rows, "sum": int(total)}


answer({
    "put": put, "put_large": put_large, "put_new": "no conditional create", "get": get, "get_large": get,
    "get_range": "reads ranges of parquet only (see columns)", "head": "shows neither content type nor metadata",
    "list": list_, "copy": "no copy", "copy_large": "no copy", "multipart": "uploads in parts on its own only (see put large)",
    "abort": "no such call", "delete": "no delete", "delete_many": "no delete", "presign": "no such call", "columns": columns,
})
