#!/usr/bin/env python3
"""Creates containers in the account of AZURE_STORAGE_CONNECTION_STRING; those that exist are left as they are."""
import os
import sys

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient

service = BlobServiceClient.from_connection_string(os.environ["AZURE_STORAGE_CONNECTION_STRING"], api_version="2026-04-06")
for name in sys.argv[1:]:
    try:
        service.create_container(name)
    except ResourceExistsError:
        pass
