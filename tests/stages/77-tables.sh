# about: Trino, Polaris' sessions and the Iceberg sink of Kafka Connect on the facade, as deploy/components configures them
# minutes: 30
# when: components
. "$ROOT/tests/shell/stage.sh"
need_program
. "$ROOT/tests/components/world.sh"
. "$ROOT/tests/components/tables.sh"

bucket=local-iceberg-test
variants=${TABLES_VARIANTS:-vending-sts vending-own-keys trino-static trino-vended connect-static connect-vended connect-replicas}

main() {
  java_home 25 >/dev/null && java_home 17 >/dev/null || { skipped "tables" "needs Java 25 and Java 17"; return; }
  check "install" "$ROOT/tests/components/install/tables"
  local variant code
  for variant in $variants; do
    code=0
    # A shell of its own, which ends what it started; one that fails does not keep the others from running.
    run_variant &
    started=("$!")
    wait "$!" || code=$?
    started=()
    [ "$code" = 0 ] || failed "$variant" "ended with $code"
  done
}

run_variant() {
  started=()
  trap stop_all EXIT
  local began=$SECONDS
  "${variant//-/_}"
  echo "      $variant: $((SECONDS - began)) s"
  world_judge "$variant"
}

vending_sts() {
  world http flat "$variant"
  polaris catalog.json
  vending
}

vending_own_keys() {
  world http flat "$variant"
  polaris catalog-without-sts.json
  AWS_ACCESS_KEY_ID=$(key_id trino) AWS_SECRET_ACCESS_KEY=$(key_secret trino) vending --own-keys
}

vending() {
  suite "$variant" "$tables_python" "$ROOT/tests/components/polaris/vending.py" --catalog "$catalog_url" --endpoint "$s3_url" \
    --bucket $bucket --pair "$(key_id polaris)" "$@"
}

trino_static() {
  world http flat "$variant"
  polaris catalog-without-sts.json
  run_trino static.properties in_env trino
}

# Over https, where SDKs send bodies of another kind.
trino_vended() {
  world https flat "$variant"
  trust_world
  polaris catalog.json
  run_trino vended.properties
}

# run_trino CATALOG_FILE [in_env COMPONENT]: without a pair of its own the sessions are tried too.
run_trino() {
  local file=$1 sessions=()
  shift
  placed "trino/$file" >"$world_home/iceberg.properties"
  start_trino "$world_home/trino" "$world_home/iceberg.properties" "$@"
  [ $# -gt 0 ] || sessions=(--catalog "$catalog_url")
  suite "$variant" "$tables_python" "$ROOT/tests/components/trino/tables.py" --port "$trino_port" --endpoint "$s3_url" \
    --bucket $bucket "${sessions[@]}"
}

# The worker is killed when the first records are in the table, and comes back to as many again.
connect_static() {
  world http flat "$variant"
  polaris catalog-without-sts.json
  run_connect sink-static.json kill_worker in_env kafka-connect
}

connect_vended() {
  world http flat "$variant"
  polaris catalog.json
  run_connect sink-vended.json kill_worker
}

# Of two replicas behind a balancer one is killed while records come; the worker goes on.
connect_replicas() {
  world_two_replicas http flat "$variant"
  polaris catalog.json
  run_connect sink-vended.json kill_replica
}

# run_connect CONFIG MIDWAY [in_env COMPONENT]: as run_trino.
run_connect() {
  local file=$1 midway=$2 sessions=()
  worker_env=("${@:3}")
  [ $# -gt 2 ] || sessions=(--vended)
  start_broker "$world_home"
  prepare_worker "$world_home"
  start_worker "$world_home" "${worker_env[@]}"
  # A commit every five minutes would be a long test.
  placed "kafka-connect/$file" | jq '."iceberg.control.commit.interval-ms" = "5000"' >"$world_home/sink.json"
  sink send --rows 20000 >"$world_home/sink.log"
  sink configure --config "$world_home/sink.json" >>"$world_home/sink.log"
  sink await-rows --rows 1 >>"$world_home/sink.log"
  "$midway"
  suite "$variant" sink compare --rows 40000 "${sessions[@]}"
}

# What reads along has a pair of its own: that of Trino.
sink() {
  READER_KEY=$(key_id trino) READER_SECRET=$(key_secret trino) "$tables_python" "$ROOT/tests/components/kafka-connect/sink.py" "$@" \
    --broker "$broker" --connect "$connect_url" --catalog "$catalog_url" --endpoint "$s3_url" --bucket $bucket
}

kill_worker() {
  kill -9 "$worker_pid"
  sink send --first 20000 --rows 20000 >>"$world_home/sink.log"
  start_worker "$world_home" "${worker_env[@]}"
}

# Records come for half a minute, a commit falls every five seconds, and after a third of the time the replica dies.
kill_replica() {
  start "$world_home/sink.log" sink send --first 20000 --rows 20000 --seconds 30
  local sending=$pid
  sleep 10
  world_kill_replica
  wait "$sending"
}

main
