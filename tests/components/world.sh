# Sourced after tests/shell/stage.sh. What surrounds a component: the Blob service, the facade as deploy/kubernetes
# configures it, and at the end what the facade has to say about it.
#
#   world http|https flat|hierarchical [NAME]    starts the emulator and one replica; NAME tells worlds of a stage apart
#   world_two_replicas http|https flat|hierarchical [NAME]    two of them behind a balancer
#   world_kill_replica                           ends the first replica at once, as a node does that loses power
#   world_judge NAME                             says as checks of the stage: no 5xx, no warning that is not explained;
#                                                prints the figures of each component, also after world_end
#   world_end                                    ends everything that was started
#   in_pod MANIFEST CONTAINER [COMMAND...]       runs the command, or the container's own arguments after it, with the
#                                                environment, secrets and files of that container of deploy/components;
#                                                PROGRAM takes the place of the image's entry point
#   key_id COMPONENT, key_secret COMPONENT       print the pair of [[facade.key]] name = COMPONENT
#
# The buckets are local-rocksdb-test, local-iceberg-test, local-warpstream-test (containers flink, iceberg, warpstream)
# and local-app-test (app). The keys, their rules and the region are those of deploy/kubernetes/config.yaml, and `app`
# for local-app-test. AssumeRole works. WORLD_REGION, if it is set, takes the place of the region.
#
# World leaves: world_home (a folder of its own), s3_url, s3_ca (the file of the private authority; empty over http),
# s3_region, s3_trust (the same authority as a PKCS #12 trust store for Java, password `changeit`; empty over http),
# admin_urls and replica_pids (arrays, one per replica), facade_logs (array), AZURE_STORAGE_CONNECTION_STRING.

endpoint_of_manifests=https://bluebucket.bluebucket.svc.cluster.local

world() { start_world "$1" "$2" "${3:-$1-$2}" 1; }

world_two_replicas() {
  start_world "$1" "$2" "${3:-$1-$2-replicas}" 2
  rm -f "$world_home/balancer"
  start "$world_home/balancer" "$python" "$ROOT/tests/components/balancer.py" --log "$world_home/balancer.log" "${replicas[@]}"
  await 20 test -s "$world_home/balancer" || { echo "the balancer did not start" >&2; return 1; }
  s3_url=$1://127.0.0.1:$(head -1 "$world_home/balancer")
}

world_kill_replica() { kill -9 "${replica_pids[0]}"; }

world_end() {
  note_figures
  stop_all
}

world_judge() {
  suite "$1, the facade" "$python" "$ROOT/tests/components/judge.py" "${facade_logs[@]}"
  gone "$account_pid" || note_figures
  [ ! -f "$world_home/figures" ] || cat "$world_home/figures"
}

# What each component did and what it cost, for as long as there is somebody to ask.
note_figures() {
  "$python" "$ROOT/tests/components/component_table.py" --account "$account_pid" --account-log "$world_home/emulator.log" \
    "${admin_urls[@]}" >"$world_home/figures" 2>&1 || true
}

in_pod() {
  local manifest=$1 container=$2
  shift 2
  "$ROOT/target/venv-awscli-1/bin/python" "$ROOT/tests/components/in_pod.py" --manifest "$ROOT/deploy/components/$manifest" \
    --container "$container" --endpoint "$endpoint_of_manifests=$s3_url" --secrets "$world_home/secrets" \
    --scratch "$world_home/pod" ${PROGRAM:+--program "$PROGRAM"} -- "$@"
}

key_id() { cat "$world_home/secrets/$1-s3/AWS_ACCESS_KEY"; }
key_secret() { cat "$world_home/secrets/$1-s3/AWS_SECRET_KEY"; }

# start_world SCHEME KIND NAME REPLICAS
start_world() {
  local n
  world_home=$WORK/$3 s3_ca='' s3_trust=''
  replicas=() replica_pids=() admin_urls=() facade_logs=()
  mkdir -p "$world_home/keys" "$world_home/sealing"
  start_blob_service "$2"
  openssl rand -hex 32 >"$world_home/sealing/current"
  [ "$1" = http ] || trust_private_authority
  for ((n = 1; n <= $4; n++)); do start_replica "$1" "$3" "$n"; done
}

start_blob_service() {
  local log=$world_home/emulator.log
  start "$log" "$BLUEBUCKET" emulator --listen 127.0.0.1:0 --container flink --container iceberg --container warpstream \
    --container app $([ "$1" = flat ] || echo --hierarchical)
  account_pid=$pid
  await 30 grep -q 'AccountName=' "$log" || { echo "the emulator did not start" >&2; tail -20 "$log" >&2; return 1; }
  AZURE_STORAGE_CONNECTION_STRING=$(grep 'AccountName=' "$log")
  export AZURE_STORAGE_CONNECTION_STRING
}

trust_private_authority() {
  make_certificates "$world_home/tls"
  s3_ca=$world_home/tls/ca.pem
  ! command -v keytool >/dev/null || {
    s3_trust=$world_home/tls/trust.p12
    keytool -importcert -noprompt -alias bluebucket -file "$s3_ca" -keystore "$s3_trust" -storetype PKCS12 -storepass changeit 2>/dev/null
  }
}

# start_replica SCHEME NAME NUMBER
start_replica() {
  local port admin config=$world_home/facade-$3.toml log=$LOGS/$STAGE-$2-facade-$3.log
  read -r port admin <<<"$(free_ports 2)"
  replica_config "$1" "$port" "$admin" >"$config"
  BLUEBUCKET_LOG_FILTER=info,bluebucket::access=debug start "$log" "$BLUEBUCKET" serve --config "$config"
  s3_url=$1://127.0.0.1:$port
  await 30 answers "$s3_url" "$s3_ca" || { echo "the facade did not start" >&2; tail -20 "$log" >&2; return 1; }
  replicas+=("127.0.0.1:$port") replica_pids+=("$pid") admin_urls+=("http://127.0.0.1:$admin") facade_logs+=("$log")
}

# The configuration of deploy/kubernetes, with the places that hold here. What the facade is told about the old store is
# left out: all objects are in the account.
replica_config() {
  local tls=()
  [ "$1" = https ] || tls=(-e '/^\[facade.tls\]$/,/^$/d')
  manifest_config | sed -n '/^\[\[bucket\]\]$/,/^\[admin\]$/{/^\[admin\]$/d;p}' |
    sed -e "s|^listen = .*|listen = \"127.0.0.1:$2\"|" -e "s|/etc/bluebucket/keys|$world_home/keys|" \
      -e "s|/etc/bluebucket/sts|$world_home/sealing|" -e "s|/etc/bluebucket/tls/tls.crt|$world_home/tls/server.pem|" \
      -e "s|/etc/bluebucket/tls/tls.key|$world_home/tls/server.key|" "${tls[@]}" \
      ${WORLD_REGION:+-e "s|^region = .*|region = \"$WORLD_REGION\"|"} >"$world_home/facade.part"
  printf '\n[[facade.key]]\nname = "app"\naccess_key_id = "BBAPP"\nbuckets = ["local-app-test"]\n' >>"$world_home/facade.part"
  make_secrets "$world_home/facade.part"
  s3_region=$(sed -n '/^\[facade\]$/,/^$/s/^region = "\(.*\)"/\1/p' "$world_home/facade.part")
  printf '[azure]\ncredential = "connection-string"\nallow_plaintext = true\n\n'
  printf '[[bucket]]\nname = "local-app-test"\ncontainer = "app"\n\n'
  cat "$world_home/facade.part"
  printf '\n[admin]\nlisten = "127.0.0.1:%s"\n\n[log]\nformat = "human"\n' "$3"
}

# bluebucket.toml of the facade, the first of the file.
manifest_config() { sed -n '/^  bluebucket.toml: |$/,/^---$/{/^  bluebucket/d;s/^    //;p}' "$ROOT/deploy/kubernetes/config.yaml"; }

# A secret for each key of the configuration: where the facade looks, and where the manifests of its component do.
make_secrets() {
  local name id
  while read -r name id; do
    [ ! -e "$world_home/keys/$id" ] || continue
    openssl rand -base64 30 | tr -d '\n' >"$world_home/keys/$id"
    mkdir -p "$world_home/secrets/$name-s3"
    printf '%s' "$id" >"$world_home/secrets/$name-s3/AWS_ACCESS_KEY"
    cp "$world_home/keys/$id" "$world_home/secrets/$name-s3/AWS_SECRET_KEY"
  done < <(sed -n '/^\[\[facade.key\]\]$/,/^$/{s/^name = "\(.*\)"/\1/p;s/^access_key_id = "\(.*\)"/\1/p}' "$1" | paste -d' ' - -)
}
