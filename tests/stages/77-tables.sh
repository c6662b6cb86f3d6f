# about: Trino, vended credentials and the Iceberg sink of Kafka Connect on the facade, as deploy/components configures them
# minutes: 30
# when: components
. "$ROOT/tests/shell/stage.sh"
need_program
. "$ROOT/tests/components/tables.sh"
. "$ROOT/tests/components/polaris/polaris.sh"
. "$ROOT/tests/components/trino/trino.sh"
. "$ROOT/tests/components/kafka-connect/connect.sh"

bucket=local-iceberg-test
export POLARIS_SECRET=polaristestsecret TRINO_SECRET=trinotestsecret1 CONNECT_SECRET=connecttestsecret READER_SECRET=readertestsecret
export READER_KEY=BBREADER

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
  at=$WORK/$variant
  mkdir -p "$at"
  local began=$SECONDS
  "${variant//-/_}"
  echo "      $variant: $((SECONDS - began)) s"
  judge_facade "$variant"
}

vending_sts() {
  start_world polaris/catalog.json
  vending
}

vending_own_keys() {
  start_world polaris/catalog-without-sts.json
  AWS_ACCESS_KEY_ID=$READER_KEY AWS_SECRET_ACCESS_KEY=$READER_SECRET vending --own-keys
}

vending() {
  suite "$variant" "$tables_python" "$ROOT/tests/components/polaris/vending.py" --catalog "$catalog_url" --endpoint "$facade_url" \
    --bucket $bucket --pair BBPOLARIS "$@"
}

trino_static() {
  start_world polaris/catalog-without-sts.json
  AWS_ACCESS_KEY=BBTRINO AWS_SECRET_KEY=$TRINO_SECRET run_trino static.properties
}

trino_vended() {
  start_world polaris/catalog.json
  run_trino vended.properties --catalog "$catalog_url"
}

# run_trino CATALOG_FILE ARGUMENTS...
run_trino() {
  local file=$1
  shift
  placed "trino/$file" >"$at/placed.properties"
  start_trino "$at/trino" "$at/placed.properties"
  suite "$variant" "$tables_python" "$ROOT/tests/components/trino/tables.py" --port "$trino_port" --endpoint "$facade_url" \
    --bucket $bucket "$@"
}

# The worker is killed while half of the records wait.
connect_static() {
  start_world polaris/catalog-without-sts.json
  AWS_ACCESS_KEY=BBKAFKACONNECT AWS_SECRET_KEY=$CONNECT_SECRET run_connect sink-static.json kill_worker
}

connect_vended() {
  start_world polaris/catalog.json
  run_connect sink-vended.json kill_worker --vended
}

# The same behind a balancer with two replicas of the facade, the first of which is killed while records come; the
# worker goes on.
connect_replicas() {
  start_world polaris/catalog.json 2
  run_connect sink-vended.json kill_replica --vended
}

# run_connect CONFIG MIDWAY ARGUMENTS...
run_connect() {
  local file=$1 midway=$2
  shift 2
  start_broker "$at"
  prepare_worker "$at"
  start_worker "$at"
  # A commit every five minutes would be a long test.
  placed "kafka-connect/$file" | jq '."iceberg.control.commit.interval-ms" = "5000"' >"$at/sink.json"
  sink send --rows 20000
  sink configure --config "$at/sink.json"
  sink await-rows --rows 1
  "$midway"
  suite "$variant" sink_loudly compare --rows 40000 "$@"
}

sink() { sink_loudly "$@" >>"$at/sink.log" 2>&1; }

sink_loudly() {
  "$tables_python" "$ROOT/tests/components/kafka-connect/sink.py" "$@" --broker "$broker" --connect "$connect_url" \
    --catalog "$catalog_url" --endpoint "$facade_url" --bucket $bucket
}

kill_worker() {
  kill -9 "$worker_pid"
  sink send --first 20000 --rows 20000
  start_worker "$at"
}

# Records come for half a minute, a commit falls every five seconds, and after a third of the time the replica dies.
kill_replica() {
  local log=$at/sink-more.log sending
  start "$log" sink_loudly send --first 20000 --rows 20000 --seconds 30
  sending=$pid
  sleep 10
  kill -9 "${facades[0]}"
  wait "$sending"
}

main
