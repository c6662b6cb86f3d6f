"""The catalog as PyIceberg sees it, and the keys that it works with."""

import os

from pyiceberg.catalog import load_catalog


def open_catalog(address, endpoint, region, own_keys):
    """With keys of its own it takes those of the environment, as it is where a catalog assumes no role; otherwise it
    works with the session that the catalog gives out with each table, and knows nothing but the catalog's address."""
    properties = {"type": "rest", "uri": address, "warehouse": "iceberg"}
    if own_keys:
        properties |= {
            "s3.endpoint": endpoint, "s3.region": region, "s3.path-style-access": "true",
            "s3.access-key-id": os.environ["AWS_ACCESS_KEY_ID"], "s3.secret-access-key": os.environ["AWS_SECRET_ACCESS_KEY"],
        }
    else:
        properties["header.X-Iceberg-Access-Delegation"] = "vended-credentials"
    # PyArrow would look into the environment by itself.
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ.pop(name, None)
    return load_catalog("tests", **properties)


def keys_of(table):
    """Key, secret and session token (or None) that PyIceberg uses for this table."""
    told = table.io.properties
    return told["s3.access-key-id"], told["s3.secret-access-key"], told.get("s3.session-token")
