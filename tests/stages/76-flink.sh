# about: real Flink with the settings of deploy/components: killed, moved by savepoint and checkpoint, each number once
# minutes: 25
# when: components
. "$ROOT/tests/shell/stage.sh"
. "$ROOT/tests/components/world.sh"
need_program

flink=$ROOT/tests/components/flink
# Flink 1.20 knows no later one.
java=$(compgen -G '/usr/lib/jvm/*-17-*/bin/java' | head -1) || java=java

main() {
  check "Flink 2.3.0 is installed" "$ROOT/tests/components/install/flink" 2.3.0 hadoop native presto
  check "Flink 1.20.1 is installed" "$ROOT/tests/components/install/flink" 1.20.1 hadoop
  life hold 2.3.0 hadoop flink-session
  life hold 2.3.0 hadoop flink-deployment replicas
  life roll 2.3.0 native flink-session
  life hold 2.3.0 presto flink-session
  life hold 1.20.1 hadoop flink-deployment
}

# life FILES VERSION PLUGIN COMPONENT [replicas]: a life of a cluster in a world of its own. With replicas there are two
# of the facade, over TLS, and one is killed.
life() {
  local files=$1 version=$2 plugin=$3 component=$4 name=$2-$3-$1${5:+-$5} killed=()
  # With an endpoint of its own the plugin signs for this region alone.
  export WORLD_REGION=
  [ "$plugin" != presto ] || WORLD_REGION=us-east-1
  if [ -n "${5:-}" ]; then
    world_two_replicas https flat "$name"
    killed=(--kill-replica "${replica_pids[0]}" --ca "$s3_ca")
    export JAVA_TOOL_OPTIONS="-Djavax.net.ssl.trustStore=$s3_trust -Djavax.net.ssl.trustStorePassword=changeit"
  else
    world http flat "$name"
  fi
  suite "$name" in_pod "$component/flinkdeployment.yaml" flink-main-container \
    "$python" "$flink/drive.py" --endpoint "$s3_url" --region "$s3_region" --files "$files" --plugin "$plugin" \
    --config "$ROOT/deploy/components/$component/config.yaml" --flink "$ROOT/target/flink-$version" --java "$java" \
    --scratch "$world_home/flink" "${killed[@]}"
  unset JAVA_TOOL_OPTIONS
  world_end
  world_judge "$name"
  suite "$name, last bytes" "$python" "$flink/judge_tails.py" "$files" "${facade_logs[@]}"
}

main
