"""Drives the emulator with the official Python SDK.

Usage: emulator_sdk.py ENDPOINT [TOKEN]
ENDPOINT is http://host:port/account; the account has the well-known development key.
Prints a line per check and ends with `N passed, N failed, N skipped`; the exit code is 0 only if all hold.
"""

import base64
import datetime
import hashlib
import sys
import uuid

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import (
    AccountSasPermissions,
    BlobBlock,
    BlobSasPermissions,
    BlobServiceClient,
    ContainerClient,
    BlobClient,
    ContentSettings,
    ContainerSasPermissions,
    ResourceTypes,
    generate_account_sas,
    generate_blob_sas,
    generate_container_sas,
)

KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
endpoint = sys.argv[1].rstrip("/")
account = endpoint.rsplit("/", 1)[1]
checks = 0


def check(name, holds, shown=None):
    global checks
    checks += 1
    print(("ok   " if holds else "FAIL ") + name + ("" if holds else f": {shown!r}"), flush=True)
    if not holds:
        print(f"{checks - 1} passed, 1 failed, 0 skipped")
        sys.exit(1)


def refused(name, code, call, status=None):
    try:
        call()
    except HttpResponseError as error:
        found = (error.error_code, error.status_code)
        check(name, str(getattr(found[0], "value", found[0])) == code and status in (None, found[1]), found)
        return error
    check(name, False, "no error")


credential = {"account_name": account, "account_key": KEY}
service = BlobServiceClient(endpoint, credential=credential, retry_total=0)
container_name = "sdk-" + uuid.uuid4().hex[:12]
container = service.get_container_client(container_name)
expiry = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)

# containers
created = container.create_container(metadata={"owner": "test"})
check("create container", created["etag"].strip('"').startswith("0x8D"), created)
refused("create container twice", "ContainerAlreadyExists", container.create_container, 409)
check("container properties", container.get_container_properties().metadata == {"owner": "test"})
check("list containers", container_name in [c.name for c in service.list_containers(name_starts_with="sdk-")])
refused("container name", "InvalidResourceName", lambda: service.create_container("bad_name"), 400)
check("account information", service.get_account_information()["account_kind"] == "StorageV2")

# put, get, head
blob = container.get_blob_client("dir/hello world é+%.txt")
put = blob.upload_blob(
    b"Hello World", metadata={"a": "1", "b_2": "x y"}, content_settings=ContentSettings(content_type="text/plain")
)
check("put blob returns MD5", bytes(put["content_md5"]) == hashlib.md5(b"Hello World").digest(), put)
check("get blob", blob.download_blob().readall() == b"Hello World")
check("get range", blob.download_blob(offset=6, length=100).readall() == b"World")
head = blob.get_blob_properties()
check("head", (head.size, head.metadata, head.content_settings.content_type) == (11, {"a": "1", "b_2": "x y"}, "text/plain"), head)
check("head MD5", bytes(head.content_settings.content_md5) == hashlib.md5(b"Hello World").digest())
empty = container.get_blob_client("empty")
empty.upload_blob(b"")
check("empty blob", empty.download_blob().readall() == b"")
refused("missing blob", "BlobNotFound", container.get_blob_client("no").download_blob, 404)
refused("missing container", "ContainerNotFound", service.get_blob_client("no-such", "no").download_blob, 404)
check("exists", blob.exists() and not container.get_blob_client("no").exists())

# conditions
refused("no overwrite", "BlobAlreadyExists", lambda: blob.upload_blob(b"x"), 409)
refused(
    "other etag",
    "ConditionNotMet",
    lambda: blob.upload_blob(b"x", overwrite=True, etag="0x0", match_condition=MatchConditions.IfNotModified),
    412,
)
put = blob.upload_blob(b"next", overwrite=True, etag=head.etag, match_condition=MatchConditions.IfNotModified)
check("etag grows", put["etag"] > head.etag)
refused(
    "not modified",
    "ConditionNotMet",
    lambda: blob.get_blob_properties(etag=put["etag"], match_condition=MatchConditions.IfModified),
    304,
)

# blocks
blocks = container.get_blob_client("blocks")
ids = [base64.b64encode(f"{n:04}".encode()).decode() for n in range(3)]
for n, block in enumerate(ids):
    blocks.stage_block(block, bytes([65 + n]) * 100000)
committed, uncommitted = blocks.get_block_list("all")
check("uncommitted blocks", ([b.id for b in uncommitted], committed) == (["0000", "0001", "0002"], []) or [b.id for b in uncommitted] == ids, uncommitted)
refused("uncommitted only", "BlobNotFound", blocks.download_blob, 404)
refused("unequal block id", "InvalidBlobOrBlock", lambda: blocks.stage_block(base64.b64encode(b"x").decode(), b"x"), 400)
blocks.commit_block_list([BlobBlock(ids[2]), BlobBlock(ids[0])], metadata={"k": "v"})
check("committed content", blocks.download_blob().readall() == b"C" * 100000 + b"A" * 100000)
check("the rest is discarded", blocks.get_block_list("all")[1] == [])
refused("consumed", "InvalidBlockList", lambda: blocks.commit_block_list([BlobBlock(ids[1])]), 400)
check("no MD5", blocks.get_blob_properties().content_settings.content_md5 is None)
big = bytes(range(256)) * 40000
large = ContainerClient(endpoint, container_name, credential=credential, max_single_put_size=1 << 20, max_block_size=1 << 20)
large.upload_blob("large", big, max_concurrency=4)
check("chunked upload", container.download_blob("large", max_concurrency=4).readall() == big)

# metadata, properties, tier
blob.set_blob_metadata({"new": "value"})
check("set metadata", blob.get_blob_properties().metadata == {"new": "value"})
blob.set_http_headers(ContentSettings(cache_control="no-cache"))
head = blob.get_blob_properties()
check("set properties clears", head.content_settings.cache_control == "no-cache" and not head.content_settings.content_md5)
refused("metadata name", "InvalidMetadata", lambda: blob.set_blob_metadata({"a-b": "1"}), 400)
refused("metadata size", "MetadataTooLarge", lambda: blob.set_blob_metadata({"a": "1" * 8192}), 400)
blob.set_standard_blob_tier("Cool")
after = blob.get_blob_properties()
check("tier", (after.blob_tier, after.etag) == ("Cool", head.etag))

# lists
names = ["a", "a/b", "a/c", "a-b", "b/1/x", "b/2/y", "é", "\ue001", "\U0001F600", "c<&>\"'"]
for name in names:
    container.upload_blob("list/" + name, b"x", metadata={"n": "1"})
order = sorted(names, key=lambda name: name.encode("utf-16-be"))
found = [b.name[5:] for b in container.list_blobs(name_starts_with="list/", results_per_page=3)]
check("flat list in UTF-16 order by pages", found == order, found)
check("list with metadata", all(b.metadata == {"n": "1"} for b in container.list_blobs(name_starts_with="list/", include=["metadata"])))
walked = [b.name for b in container.walk_blobs(name_starts_with="list/", delimiter="/", results_per_page=1)]
check("walk", sorted(walked) == sorted(["list/a", "list/a/", "list/a-b", "list/b/", "list/é", "list/\ue001", "list/\U0001F600", "list/c<&>\"'"]), walked)
container.upload_blob("list/odd\ufffe", b"x")
check("encoded name", "list/odd\ufffe" in [b.name for b in container.list_blobs(name_starts_with="list/odd")])

# leases
lease = blob.acquire_lease(15)
refused("leased", "LeaseIdMissing", lambda: blob.upload_blob(b"x", overwrite=True), 412)
blob.upload_blob(b"mine", overwrite=True, lease=lease)
lease.release()
blob.upload_blob(b"free", overwrite=True)
check("lease released", blob.download_blob().readall() == b"free")

# SAS
sas = generate_container_sas(account, container_name, KEY, permission=ContainerSasPermissions(read=True, list=True), expiry=expiry)
reader = ContainerClient(endpoint, container_name, credential=sas, retry_total=0)
check("container SAS reads", reader.download_blob("large").readall() == big)
refused("container SAS does not write", "AuthorizationPermissionMismatch", lambda: reader.upload_blob("x", b""), 403)
late = generate_container_sas(account, container_name, KEY, permission="r", expiry=datetime.datetime(2020, 1, 1))
refused("expired SAS", "AuthenticationFailed", ContainerClient(endpoint, container_name, credential=late).get_blob_client("a").download_blob, 403)
blob_sas = generate_blob_sas(account, container_name, "large", account_key=KEY, permission=BlobSasPermissions(read=True), expiry=expiry, content_type="x/y")
one = BlobClient(endpoint, container_name, "large", credential=blob_sas).download_blob()
check("blob SAS and its content type", one.properties.content_settings.content_type == "x/y", one.properties.content_settings)
account_sas = generate_account_sas(account, KEY, ResourceTypes(object=True), AccountSasPermissions(read=True), expiry)
check("account SAS", BlobClient(endpoint, container_name, "empty", credential=account_sas).download_blob().readall() == b"")
refused(
    "account SAS resource type",
    "AuthorizationResourceTypeMismatch",
    lambda: list(ContainerClient(endpoint, container_name, credential=account_sas).list_blobs()),
    403,
)
wrong = dict(credential, account_key=base64.b64encode(b"wrong").decode())
refused("wrong key", "AuthenticationFailed", lambda: BlobClient(endpoint, container_name, "a", credential=wrong).upload_blob(b""), 403)
refused("no credentials", "NoAuthenticationInformation", lambda: BlobClient(endpoint, container_name, "a").download_blob(), 401)

# copies
source = container.get_blob_client("large").url + "?" + sas
copy = container.get_blob_client("copy")
copy.upload_blob_from_url(source)
head = copy.get_blob_properties()
check("put blob from URL", head.size == len(big) and bytes(head.content_settings.content_md5) == hashlib.md5(big).digest())
refused("unauthorised source", "CannotVerifyCopySource", lambda: container.get_blob_client("x").upload_blob_from_url(container.get_blob_client("large").url), 401)
copy.stage_block_from_url(ids[0], source, source_offset=10, source_length=20)
copy.commit_block_list([BlobBlock(ids[0])])
check("put block from URL", copy.download_blob().readall() == big[10:30])
done = copy.start_copy_from_url(container.get_blob_client("blocks").url)
check("copy blob", done["copy_status"] == "success" and copy.download_blob().readall() == b"C" * 100000 + b"A" * 100000)
done = copy.start_copy_from_url(source, requires_sync=True)
check("copy from URL", done["copy_status"] == "success" and copy.get_blob_properties().copy.progress == f"{len(big)}/{len(big)}")

# user delegation
if len(sys.argv) > 2:
    from azure.core.credentials import AccessToken
    from azure.core.pipeline.policies import SansIOHTTPPolicy

    class Bearer(SansIOHTTPPolicy):
        def on_request(self, request):
            request.http_request.headers["Authorization"] = "Bearer " + sys.argv[2]

    tokened = BlobServiceClient(endpoint, retry_total=0, _additional_pipeline_policies=[Bearer()])
    start = datetime.datetime.now(datetime.timezone.utc)
    key = tokened.get_user_delegation_key(start, expiry)
    sas = generate_blob_sas(account, container_name, "empty", user_delegation_key=key, permission="r", expiry=expiry)
    check("user delegation SAS", BlobClient(endpoint, container_name, "empty", credential=sas).download_blob().readall() == b"")

# deletes
blob.delete_blob()
refused("delete twice", "BlobNotFound", blob.delete_blob, 404)
results = list(container.delete_blobs("empty", "large", "no-such", raise_on_any_failure=False))
check("batch delete", [r.status_code for r in results] == [202, 202, 404], [r.status_code for r in results])
container.delete_container()
refused("name of a deleted container", "ContainerBeingDeleted", container.create_container, 409)
print(f"{checks} passed, 0 failed, 0 skipped")
