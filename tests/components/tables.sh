# Sourced. What the components around tables have in common: places, Java, and what the facade has to say at the end.

tables_python=$ROOT/target/venv-tables/bin/python

. "$ROOT/tests/components/java.sh"

# placed FILE: one of deploy/components as it is, with the addresses that hold here.
placed() {
  sed -e "s|https://bluebucket.bluebucket.svc.cluster.local|$facade_url|g" \
    -e "s|http://polaris.polaris.svc.cluster.local:8181/api/catalog|$catalog_url|g" "$ROOT/deploy/components/$1"
}

# start_balancer DIR REPLICA...: each given as HOST:PORT. Sets balancer_url.
start_balancer() {
  local dir=$1
  shift
  rm -f "$dir/balancer.port"
  start "$dir/balancer.port" "$tables_python" "$ROOT/tests/components/balancer.py" --log "$dir/balancer.log" "$@"
  await 20 test -s "$dir/balancer.port" || { echo "the balancer did not start" >&2; return 1; }
  balancer_url=http://127.0.0.1:$(head -1 "$dir/balancer.port")
}

# start_world CATALOG [REPLICAS]: the Blob service, the facade with the keys that deploy/kubernetes names, and a catalog as
# a file of deploy/components/polaris describes it. Sets facade_url, facades (ids), admins and catalog_url.
start_world() {
  local n port ports=()
  facades=() admins=()
  start_emulator "$at"
  make_containers flink iceberg
  mkdir -p "$at/sealing"
  openssl rand -hex 32 >"$at/sealing/current"
  for ((n = 1; n <= ${2:-1}; n++)); do
    port=$(free_ports 1)
    facade_config "$at/facade-$n.toml" "$port"
    start_facade "$LOGS/$STAGE-$variant-facade-$n.log" "$at/facade-$n.toml" "$port"
    facades+=("$pid")
    admins+=("http://$(sed -n '/^\[admin\]/,/^$/s/^listen = "\(.*\)"/\1/p' "$at/facade-$n.toml")")
    ports+=("127.0.0.1:$port")
  done
  [ "${2:-1}" = 1 ] || { start_balancer "$at" "${ports[@]}"; facade_url=$balancer_url; }
  catalog_url=
  placed "$1" >"$at/catalog.json"
  unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
  start_catalog "$at" "$at/catalog.json"
}

# facade_config FILE PORT: in the region of the manifests, with a key for each component.
facade_config() {
  local name
  write_config "$1" facade="$2" local-rocksdb-test=flink local-iceberg-test=iceberg
  sed -i '/^\[facade\]$/,/^$/s/us-east-1/eu-central-1/' "$1"
  printf '\n[facade.sts]\nkeys_dir = "%s/sealing"\n' "$at" >>"$1"
  for name in polaris:BBPOLARIS:POLARIS_SECRET trino:BBTRINO:TRINO_SECRET kafka-connect:BBKAFKACONNECT:CONNECT_SECRET reader:BBREADER:READER_SECRET; do
    IFS=: read -r name id secret <<<"$name"
    printf '\n[[facade.key]]\nname = "%s"\naccess_key_id = "%s"\nsecret_env = "%s"\nbuckets = ["local-iceberg-test"]\n' "$name" "$id" "$secret" >>"$1"
  done
}

# judge_facade NAME: no answer of the 5xx kind, and nothing in the log that a user would have to ask about.
judge_facade() {
  local admin asked=$at/requests warnings=$at/warnings
  for admin in "${admins[@]}"; do curl -s --max-time 5 "$admin/metrics" || true; done |
    sed -n 's/^bluebucket_facade_requests_total{component="\(.*\)",operation="\(.*\)",status="\(.*\)"} \(.*\)$/\1 \2 \3 \4/p' >"$asked"
  awk '{ n += $4; if ($3 == "5xx") bad += $4; by[$1] += $4 } END { printf "      %d requests, %d of them 5xx:", n, bad; for (c in by) printf " %s %d", c, by[c]; print "" }' "$asked"
  cp "$asked" "$LOGS/$STAGE-$1-requests"
  if [ -s "$asked" ] && ! grep -q ' 5xx ' "$asked"; then passed "$1: no 5xx"; else failed "$1: no 5xx" "$(grep ' 5xx ' "$asked" | tr '\n' ',')"; fi
  sed 's/\x1b\[[0-9;]*m//g' "$LOGS/$STAGE-$1"-facade-*.log | grep -E ' (WARN|ERROR) ' >"$warnings" || true
  if [ -s "$warnings" ]; then failed "$1: no warning" "$(wc -l <"$warnings"), $(head -1 "$warnings")"; else passed "$1: no warning"; fi
}
