"""DuckDB with its extensions httpfs and iceberg, as they are inside of packages: none is loaded from its own registry."""

import importlib.util
import pathlib

import duckdb


class Duck:
    def __init__(self, endpoint, region, ca, keys):
        self.db = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        # iceberg needs avro.
        for name in ("httpfs", "avro", "iceberg"):
            self.db.execute(f"LOAD '{extension(name)}'")
        scheme, host = endpoint.split("://")
        if ca:
            self.db.execute(f"SET ca_cert_file = '{ca}'")
            self.db.execute("SET enable_server_cert_verification = true")
        key, secret, token = keys
        session = f", SESSION_TOKEN '{token}'" if token else ""
        self.db.execute(
            f"CREATE SECRET tests (TYPE s3, KEY_ID '{key}', SECRET '{secret}'{session}, REGION '{region}', "
            f"ENDPOINT '{host.rstrip('/')}', URL_STYLE 'path', USE_SSL {'true' if scheme == 'https' else 'false'})")

    def rows(self, metadata, snapshot):
        """Of a snapshot, found by the table's file of metadata."""
        return self.db.execute(
            "SELECT id, day, value FROM iceberg_scan($1, snapshot_from_id => $2)", [metadata, snapshot]).fetchall()

    def count_above(self, metadata, bound):
        """Of the newest snapshot: few of the files, and of these few of the bytes."""
        return self.db.execute("SELECT count(*) FROM iceberg_scan($1) WHERE id > $2", [metadata, bound]).fetchone()[0]

    def round_trip(self, folder, rows):
        """The sum of what it wrote itself, found by a pattern."""
        self.db.execute(f"COPY (SELECT n, repeat('x', 50) AS text FROM range({rows}) r(n)) TO '{folder}/one.parquet' (FORMAT parquet)")
        return int(self.db.execute(f"SELECT sum(n) FROM read_parquet('{folder}/*.parquet')").fetchone()[0])


def extension(name):
    package = pathlib.Path(importlib.util.find_spec(f"duckdb_extension_{name}").origin).parent
    return next(package.rglob(f"{name}.duckdb_extension"))
