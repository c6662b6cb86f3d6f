# Sourced. The servers that the stages run, each on 127.0.0.1 and on ports that were free.
# Every function leaves its address in a variable and its process in $started.

python=$ROOT/target/venv-tools/bin/python
access_key=testaccess
secret_key=testsecrettestsecret

# start_seaweedfs DIR [CERTIFICATE KEY]: an S3 server. Sets seaweedfs_url, and seaweedfs_https_url with a certificate.
start_seaweedfs() {
  local dir=$1 m mg v vg f fg s sg tls https=()
  read -r m mg v vg f fg s sg tls <<<"$(free_ports 9)"
  mkdir -p "$dir/data"
  cat >"$dir/s3.json" <<C
{"identities":[{"name":"tests","credentials":[{"accessKey":"$access_key","secretKey":"$secret_key"}],"actions":["Admin","Read","Write","List","Tagging"]}]}
C
  [ $# -lt 3 ] || https=("-s3.port.https=$tls" "-s3.cert.file=$2" "-s3.key.file=$3")
  start "$dir/seaweedfs.log" "$ROOT/target/venv-tools/bin/weed" server -ip=127.0.0.1 -ip.bind=127.0.0.1 -dir="$dir/data" \
    -volume.max=200 -master.volumeSizeLimitMB=1024 -master.port="$m" -master.port.grpc="$mg" -volume.port="$v" \
    -volume.port.grpc="$vg" -filer -filer.port="$f" -filer.port.grpc="$fg" -s3 -s3.port="$s" -s3.port.grpc="$sg" \
    -s3.port.iceberg=0 -s3.port.lance=0 -s3.localSocket="$dir/s3.sock" -s3.config="$dir/s3.json" "${https[@]}"
  seaweedfs_url=http://127.0.0.1:$s
  seaweedfs_https_url=https://127.0.0.1:$tls
  await 60 answers "$seaweedfs_url" || { echo "SeaweedFS did not start" >&2; tail -5 "$dir/seaweedfs.log" >&2; return 1; }
}

# start_azurite DIR: a Blob service. Sets AZURE_STORAGE_CONNECTION_STRING and azurite_url.
start_azurite() {
  local port key=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==
  port=$(free_ports 1)
  mkdir -p "$1/azurite"
  start "$1/azurite.log" node "$ROOT/target/azurite/node_modules/.bin/azurite-blob" --silent --disableTelemetry \
    --location "$1/azurite" --blobHost 127.0.0.1 --blobPort "$port"
  azurite_url=http://127.0.0.1:$port/devstoreaccount1
  export AZURE_STORAGE_CONNECTION_STRING="DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=$key;BlobEndpoint=$azurite_url;"
  await 60 answers "$azurite_url" || { echo "Azurite did not start" >&2; tail -5 "$1/azurite.log" >&2; return 1; }
}

# start_relay URL LOG [BYTES_PER_SECOND]: an address that leads to the same server and notes each request. Sets relay_url.
start_relay() {
  local server=${1#*://}
  rm -f "$2.port"
  start "$2.port" "$python" "$ROOT/tests/python/request_log.py" --to "${server%%/*}" --log "$2" --rate "${3:-0}"
  await 20 test -s "$2.port" || { echo "the relay did not start" >&2; return 1; }
  relay_url=http://127.0.0.1:$(head -1 "$2.port")${server#"${server%%/*}"}
}

# make_buckets URL CA BUCKET...: through the S3 API; waits until the server lets it.
make_buckets() {
  local url=$1 ca=$2
  shift 2
  "$python" "$ROOT/tests/python/make_buckets.py" --endpoint "$url" --access-key "$access_key" --secret-key "$secret_key" ${ca:+--ca "$ca"} "$@"
}

# make_certificates DIR: ca.pem, and server.pem with server.key for 127.0.0.1 and localhost. Good for two days.
make_certificates() {
  local dir=$1
  mkdir -p "$dir"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=bluebucket tests" \
    -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" \
    -keyout "$dir/ca.key" -out "$dir/ca.pem" 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=127.0.0.1" -keyout "$dir/server.key" -out "$dir/server.csr" 2>/dev/null
  openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 2 -out "$dir/server.pem" 2>/dev/null \
    -extfile <(printf '%s\n' 'subjectAltName=IP:127.0.0.1,DNS:localhost' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' 'extendedKeyUsage=serverAuth')
}
