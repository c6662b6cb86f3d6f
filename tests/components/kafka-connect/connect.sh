# Sourced. A Kafka broker and a distributed worker of Kafka Connect, as processes.

connect_classes=$ROOT/target/kafka-connect/target/dependency

# start_broker DIR: sets broker.
start_broker() {
  local dir=$1 controller
  read -r broker controller <<<"$(free_ports 2)"
  broker=127.0.0.1:$broker
  controller=127.0.0.1:$controller
  {
    cat "$ROOT/tests/components/kafka-connect/broker.properties"
    printf '%s\n' "controller.quorum.voters=1@$controller" "listeners=PLAINTEXT://$broker,CONTROLLER://$controller" \
      "advertised.listeners=PLAINTEXT://$broker" "log.dirs=$dir/kafka"
  } >"$dir/broker.properties"
  (kafka_java -Xmx200m kafka.tools.StorageTool format -t dGVzdHN0ZXN0c3Rlc3RzMQ -c "$dir/broker.properties" >"$dir/format.log" 2>&1) ||
    { tail -n 5 "$dir/format.log" >&2; return 1; }
  start "$dir/broker.log" kafka_java -Xmx400m -Dorg.slf4j.simpleLogger.defaultLogLevel=warn kafka.Kafka "$dir/broker.properties"
  await 60 port_answers "$broker" || { echo "Kafka did not start" >&2; tail -n 5 "$dir/broker.log" >&2; return 1; }
}

# prepare_worker DIR: the worker's configuration, with the lines that deploy/components ships; sets connect_url.
prepare_worker() {
  connect_url=http://127.0.0.1:$(free_ports 1)
  {
    cat "$ROOT/tests/components/kafka-connect/worker.properties" "$ROOT/deploy/components/kafka-connect/worker.properties"
    printf '%s\n' "bootstrap.servers=$broker" "listeners=$connect_url"
  } >"$1/worker.properties"
}

# start_worker DIR [in_env COMPONENT]: sets worker_pid. May be called again after the worker was killed.
start_worker() {
  start "$1/worker.log" "${@:2}" kafka_java -Xmx600m -Dorg.slf4j.simpleLogger.defaultLogLevel=info \
    -Dorg.slf4j.simpleLogger.showDateTime=true org.apache.kafka.connect.cli.ConnectDistributed "$1/worker.properties"
  worker_pid=$pid
  await 150 answers "$connect_url/connectors" || { echo "the worker did not start" >&2; tail -n 5 "$1/worker.log" >&2; return 1; }
}

# Takes the place of the shell that calls it, so that the id of a process in the background is Java's.
kafka_java() { exec "$(java_home 17)/bin/java" -cp "$connect_classes/*" "$@"; }

port_answers() { (exec 3<>"/dev/tcp/${1%:*}/${1#*:}"); }
