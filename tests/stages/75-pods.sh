# about: aws-cli, an agent like WarpStream's, PyIceberg and DuckDB, in the pods of deploy/components, three worlds each
# minutes: 15
. "$ROOT/tests/shell/stage.sh"
need_program
. "$ROOT/tests/components/world.sh"
. "$ROOT/tests/components/tables.sh"
. "$ROOT/tests/components/warpstream/agent.sh"

worlds=${PODS_WORLDS:-http-flat https-flat http-hierarchical}
segments=64 schemas=300 rows=10000
full && segments=768 schemas=5000 rows=200000

main() {
  check "install" "$ROOT/tests/install/install" system uv awscli-1 tools
  install_segments
  install_tables
  local world
  for world in $worlds; do
    world "${world%-*}" "${world#*-}" "$world"
    trust_authority
    init_container
    agents
    tables
    world_end
    world_judge "$world"
  done
}

install_segments() {
  has_go=$(command -v go || true)
  if [ -z "$has_go" ]; then
    skipped "segments" "needs Go 1.24"
  else
    check "segments is built" "$ROOT/tests/components/install/segments"
  fi
}

install_tables() {
  has_java=$(java_home 25 || true)
  if [ -z "$has_java" ]; then
    skipped "tables" "needs Java 25"
  else
    check "tables are installed" "$ROOT/tests/components/install/tables" python polaris
  fi
}

# Each of these is how the manifests say that a private authority is made known.
trust_authority() {
  unset AWS_CA_BUNDLE SSL_CERT_DIR JAVA_TOOL_OPTIONS
  [ -n "$s3_ca" ] || return 0
  mkdir -p "$world_home/ca"
  cp "$s3_ca" "$world_home/ca/"
  export SSL_CERT_DIR=$world_home/ca
  trust_world
}

# The CLI of both branches fetches the jar with the very words of the manifest, and then carries files to and fro.
init_container() {
  local jar=$world_home/job.jar fetched=$world_home/pod/usrlib/job.jar name
  head -c 20000000 /dev/urandom >"$jar"
  check "$world the jar is put there" as_writer "$(cli awscli-1)" --endpoint-url "$s3_url" s3 cp --only-show-errors "$jar" \
    s3://local-rocksdb-test/flink-deployment/jobs/job.jar
  for name in awscli-1 awscli-2; do
    rm -f "$fetched"
    PROGRAM=$(cli "$name") check "$world $name as init container" in_pod flink-init-container/flinkdeployment.yaml fetch-job
    check "$world $name has fetched the jar" cmp "$jar" "$fetched"
  done
  side_by_side carry awscli-1 awscli-2
}

cli() { if [ "$1" = awscli-1 ]; then echo "$ROOT/target/venv-awscli-1/bin/aws"; else echo /usr/bin/aws; fi; }

carry() {
  CARRY_KEY=$(key_id flink-deployment) CARRY_SECRET=$(key_secret flink-deployment) suite "$world $1" \
    in_pod flink-init-container/flinkdeployment.yaml fetch-job "$python" "$ROOT/tests/components/aws-cli/carry.py" \
    --program "$(cli "$1")" --endpoint "$s3_url" --scratch "$world_home/$1"
}

# as_writer COMMAND...: in the pod of the init container, with the pair of the job, which may write.
as_writer() {
  in_pod flink-init-container/flinkdeployment.yaml fetch-job env AWS_ACCESS_KEY_ID="$(key_id flink-deployment)" \
    AWS_SECRET_ACCESS_KEY="$(key_secret flink-deployment)" "$@"
}

agents() {
  [ -n "$has_go" ] || return 0
  side_by_side agent "warpstream-agent vci_tests $segments 4194304" "warpstream-schema-registry vci_sr_tests $schemas 3000"
}

# agent COMPONENT CLUSTER SEGMENTS BYTES
agent() {
  # shellcheck disable=SC2086
  set -- $1
  suite "$world $1" as_agent "$1" "$ROOT/target/segments/segments" write read work --manifest "$world_home/$1.ndjson" \
    --cluster "$2" --segments "$3" --size "$4"
}

# A world with TLS works with the sessions that the catalog gives out, the others with keys of their own. PyArrow looks
# for its authorities nowhere else than Python does.
tables() {
  [ -n "$has_java" ] || return 0
  local catalog=catalog-without-sts.json own=(--own-keys)
  [ -z "$s3_ca" ] || catalog=catalog.json own=()
  polaris "$catalog"
  AWS_ACCESS_KEY_ID=$(key_id trino) AWS_SECRET_ACCESS_KEY=$(key_secret trino) suite "$world tables" \
    env ${s3_ca:+SSL_CERT_FILE="$s3_ca"} "$tables_python" "$ROOT/tests/components/iceberg/snapshots.py" \
    --phase write --phase read --phase append --phase read --phase purge --catalog "$catalog_url" \
    --endpoint "$s3_url" --region "$s3_region" ${s3_ca:+--ca "$s3_ca"} "${own[@]}" --rows "$rows" --expectations "$world_home/expectations.json"
}

# side_by_side COMMAND ARGUMENT...: for each of the arguments, at once.
side_by_side() {
  local command=$1 argument id running=()
  shift
  for argument; do
    "$command" "$argument" &
    running+=("$!")
  done
  for id in "${running[@]}"; do wait "$id" || failed "$world $command" "ended with $?"; done
}

main
