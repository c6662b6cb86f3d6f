# about: real Flink with the settings of deploy/components: killed, moved by savepoint and checkpoint, each number once
# minutes: 25
# when: components
. "$ROOT/tests/shell/stage.sh"
need_program

flink=$ROOT/tests/components/flink
java=$(ls -d /usr/lib/jvm/*17*/bin/java 2>/dev/null | head -1 || true)

main() {
  check "Flink 2.3.0 is installed" "$ROOT/tests/components/install/flink" 2.3.0 hadoop native presto
  check "Flink 1.20.1 is installed" "$ROOT/tests/components/install/flink" 1.20.1 hadoop
  life hold 2.3.0 flink-session hadoop
  life hold 2.3.0 flink-deployment hadoop replicas
  life roll 2.3.0 flink-session native
  life hold 2.3.0 flink-session presto
  life hold 1.20.1 flink-deployment hadoop
}

# life FILES VERSION COMPONENT PLUGIN [replicas]: a life of a cluster on an account of its own. With replicas there
# are two of the facade behind a balancer, and one is killed.
life() {
  local files=$1 version=$2 component=$3 plugin=$4 name="$2 $4 $1${5:+ $5}" home region=eu-central-1
  # It knows no other.
  [ "$plugin" != presto ] || region=us-east-1
  home=$WORK/${name// /-}
  mkdir -p "$home"
  start_emulator "$home"
  make_containers flink iceberg
  replica "$home" "$region" 1
  local endpoint=$facade_url killed=()
  if [ -n "${5:-}" ]; then
    replica "$home" "$region" 2
    killed=(--kill-replica "$pid")
    balance "$endpoint" "$facade_url"
    endpoint=$balancer_url
  fi
  AWS_ACCESS_KEY_ID=$(key_of "$component") AWS_SECRET_ACCESS_KEY=$TEST_FACADE_SECRET AWS_REGION=$region \
    INIT_ACCESS_KEY=$(key_of flink-init) INIT_SECRET_KEY=$TEST_FACADE_SECRET \
    suite "$name" "$python" "$flink/drive.py" --endpoint "$endpoint" --region "$region" --files "$files" --plugin "$plugin" \
    --component "$ROOT/deploy/components/$component" --flink "$ROOT/target/flink-$version" --java "$java" \
    --aws "$ROOT/target/venv-awscli-1/bin/aws" --scratch "$home/flink" "${killed[@]}"
  stop_all
  suite "$name, the facade" "$python" "$flink/judge_facade.py" "$files" "$LOGS/$STAGE-${name// /-}"-facade-*.log
}

# replica HOME REGION NUMBER: a facade with the keys of deploy/kubernetes, that notes every request. Sets facade_url
# and pid.
replica() {
  local port config=$1/facade-$3.toml
  port=$(free_ports 1)
  write_config "$config" facade="$port" local-rocksdb-test=flink local-iceberg-test=iceberg
  sed -i "s/^region = .*/region = \"$2\"/" "$config"
  printf '\n' >>"$config"
  sed 's/^    //' "$ROOT/deploy/kubernetes/config.yaml" | sed -n '/^name = "flink-/,/^$/{
    s/^name/[[facade.key]]\nname/
    s/^access_key_id.*/&\nsecret_env = "TEST_FACADE_SECRET"/
    p
  }' >>"$config"
  BLUEBUCKET_LOG_FILTER=info,bluebucket::access=debug start_facade "$LOGS/$STAGE-$(basename "$1")-facade-$3.log" "$config" "$port"
}

# key_of NAME: the access key id that deploy/kubernetes gives it.
key_of() { grep -A1 "name = \"$1\"" "$ROOT/deploy/kubernetes/config.yaml" | sed -n 's/.*access_key_id = "\(.*\)"/\1/p'; }

# balance URL...: sets balancer_url.
balance() {
  rm -f "$WORK/balancer"
  start "$WORK/balancer" "$python" "$ROOT/tests/components/balancer.py" --log "$LOGS/$STAGE-balancer.log" "${@#http://}"
  await 20 test -s "$WORK/balancer" || { echo "the balancer did not start" >&2; return 1; }
  balancer_url=http://127.0.0.1:$(head -1 "$WORK/balancer")
}

main
