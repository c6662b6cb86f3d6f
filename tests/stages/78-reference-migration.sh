# about: real programs leave an S3 server that is not ours: stopped, copied, compared, and begun again on the facade
# minutes: 25
# when: components
. "$ROOT/tests/shell/stage.sh"
need_program
. "$ROOT/tests/components/world.sh"
. "$ROOT/tests/components/tables.sh"
. "$ROOT/tests/components/warpstream/agent.sh"
. "$ROOT/tests/components/migration/source.sh"

flink=$ROOT/tests/components/flink
# What does not lie in buckets and therefore stays where it is: Kafka's log, the database of the catalog, what the
# programs of the tests have noted.
stays=$WORK/stays
# DuckDB commits to no table: it writes this file beside the data of one.
duck_file=(--object s3://local-iceberg-test/moved/events/duck/one.parquet --rows 100000)

main() {
  java_home 25 >/dev/null && java_home 17 >/dev/null && command -v go >/dev/null ||
    { skipped "reference migration" "needs Java 25, Java 17 and Go 1.24"; return; }
  check "Flink is installed" "$ROOT/tests/components/install/flink" 2.3.0 hadoop native presto
  check "what works with tables is installed" "$ROOT/tests/components/install/tables"
  check "the agents are built" "$ROOT/tests/components/install/segments"
  mkdir -p "$stays"
  source_world source
  timed "before the move" before
  world http flat facade
  timed "the move" move_source "the move"
  timed "after the move" after
  world_end
  world_judge "$phase"
}

timed() {
  local began=$SECONDS
  phase=$1
  shift
  "$@"
  echo "      $phase: $((SECONDS - began)) s"
}

# Flink and the components around tables do not meet: each works while the other waits.
before() {
  flink begin &
  local flink_pid=$!
  agents write
  # Nothing assumes a role there.
  catalog catalog-without-sts.json
  start_broker "$stays"
  prepare_worker "$stays"
  connect_before
  trino
  snapshots trino moved.days --phase write
  snapshots iceberg moved.events --phase write --phase read --own-keys
  stop "$trino_pid" "$worker_pid" "$catalog_pid"
  wait "$flink_pid"
}

# Trino's table is read by PyIceberg and DuckDB, and theirs by Trino; so is what each of them then writes.
after() {
  flink go-on &
  local flink_pid=$!
  agents read write read
  read_along "what the agents wrote" segments warpstream-schema-registry --bucket local-warpstream-test --manifest "$stays/segments.ndjson"
  catalog catalog.json
  connect_after
  trino
  read_along "what DuckDB wrote before" parquet trino "${duck_file[@]}"
  local table
  for table in moved.days moved.events; do
    snapshots trino $table --phase read
    snapshots iceberg $table --phase read --phase append
    snapshots trino $table --phase read --phase append
    snapshots iceberg $table --phase read
  done
  read_along "what DuckDB wrote then" parquet trino "${duck_file[@]}"
  wait "$flink_pid"
}

# flink STEP
flink() {
  suite "Flink, $phase" in_pod flink-session/flinkdeployment.yaml flink-main-container "$python" "$flink/move.py" "$1" \
    --endpoint "$s3_url" --region "$s3_region" --config "$ROOT/deploy/components/flink-session/config.yaml" \
    --flink "$ROOT/target/flink-2.3.0" --java "$(java_home 17)/bin/java" --scratch "$world_home/flink" --handover "$stays/flink.json"
}

# catalog FILE: the same tables, with the store where this file of deploy/components/polaris says it is.
catalog() {
  placed "polaris/$1" >"$stays/catalog.json"
  start_catalog "$stays" "$stays/catalog.json"
}

# Records come until the last moment, and go on coming while nothing writes them into the table.
connect_before() {
  start_worker "$stays" in_env kafka-connect
  sink_config
  sink send --rows 20000
  sink configure --config "$stays/sink.json"
  sink await-rows --rows 20000
  sink send --first 20000 --rows 5000
  sink pause
  sink at-rest
  sink send --first 25000 --rows 5000
}

connect_after() {
  start_worker "$stays" in_env kafka-connect
  sink_config
  sink configure --config "$stays/sink.json"
  sink resume
  sink send --first 30000 --rows 10000
  suite "Connect, $phase: each record once" sink_program compare --rows 40000
}

# A commit every five minutes would be a long test.
sink_config() {
  placed kafka-connect/sink-static.json | jq '."iceberg.control.commit.interval-ms" = "5000"' >"$stays/sink.json"
}

sink() { check "Connect, $phase: $1" sink_program "$@"; }

# What reads along has a pair of its own: that of Trino.
sink_program() {
  READER_KEY=$(key_id trino) READER_SECRET=$(key_secret trino) "$tables_python" "$ROOT/tests/components/kafka-connect/sink.py" "$@" \
    --broker "$broker" --connect "$connect_url" --catalog "$catalog_url" --endpoint "$s3_url" --bucket local-iceberg-test
}

trino() {
  placed trino/static.properties >"$world_home/iceberg.properties"
  start_trino "$world_home/trino" "$world_home/iceberg.properties" in_env trino
}

# snapshots trino|iceberg TABLE --phase PHASE...: without keys of its own PyIceberg works with what the catalog gives out,
# and DuckDB with that.
snapshots() {
  local program=$1 table=$2 words=() name
  shift 2
  if [ "$program" = trino ]; then words=(--port "$trino_port")
  else words=(--catalog "$catalog_url" --endpoint "$s3_url" --region "$s3_region"); fi
  name=$(printf '%s ' "$@" | sed 's/--[a-z-]* //g')
  AWS_ACCESS_KEY_ID=$(key_id trino) AWS_SECRET_ACCESS_KEY=$(key_secret trino) \
    suite "$program, $phase: $table, $name" "$tables_python" "$ROOT/tests/components/$program/snapshots.py" "$@" \
    --table "$table" --expectations "$stays/$table.json" "${words[@]}"
}

# agents COMMAND...
agents() {
  suite "WarpStream, $phase" as_agent warpstream-agent "$ROOT/target/segments/segments" "$@" --manifest "$stays/segments.ndjson" \
    --segments 64
}

# read_along WHAT PROGRAM COMPONENT ARGUMENTS...: boto3 reads it, which is none of the programs that write, with the
# pair of this component.
read_along() {
  local name=$1 program=$2 component=$3
  shift 3
  AWS_ACCESS_KEY_ID=$(key_id "$component") AWS_SECRET_ACCESS_KEY=$(key_secret "$component") suite "$phase: $name" \
    "$tables_python" "$ROOT/tests/components/migration/read_$program.py" --endpoint "$s3_url" --region "$s3_region" "$@"
}

main
