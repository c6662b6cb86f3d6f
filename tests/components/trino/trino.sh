# Sourced. One Trino that is coordinator and worker, with a catalog of deploy/components/trino.

# start_trino DIR CATALOG [in_env COMPONENT]: sets trino_port and trino_pid.
start_trino() {
  local dir=$1 home=$ROOT/target/trino/server properties
  trino_port=$(free_ports 1)
  mkdir -p "$dir/catalog"
  cp "$2" "$dir/catalog/iceberg.properties"
  trino_settings >"$dir/config.properties"
  echo 'io.trino=INFO' >"$dir/log.properties"
  # What its launcher would pass on.
  properties=(-Dconfig="$dir/config.properties" -Dcatalog.config-dir="$dir/catalog" -Dlog.levels-file="$dir/log.properties"
    -Dplugin.dir="$home/plugin" -Dnode.environment=tests -Dnode.id=tests -Dnode.data-dir="$dir/data"
    -Dnode.internal-address=127.0.0.1 -Dnode.bind-ip=127.0.0.1)
  # It writes where it stands.
  start "$dir/trino.log" "${@:3}" env -C "$dir" "$(java_home 25)/bin/java" -Xmx1200m --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED \
    --sun-misc-unsafe-memory-access=allow -Djdk.attach.allowAttachSelf=true -Dfile.encoding=UTF-8 "${properties[@]}" \
    -cp "$home/lib/*" io.trino.server.TrinoServer
  trino_pid=$pid
  await 240 trino_is_up "$dir/trino.log"
  grep -q 'SERVER STARTED' "$dir/trino.log" || { echo "Trino did not start" >&2; tail -n 5 "$dir/trino.log" >&2; return 1; }
}

trino_settings() {
  printf '%s\n' coordinator=true node-scheduler.include-coordinator=true catalog.management=static \
    "http-server.http.port=$trino_port" "discovery.uri=http://127.0.0.1:$trino_port" \
    query.max-memory=400MB query.max-memory-per-node=400MB memory.heap-headroom-per-node=250MB
}

# Up, or gone and not worth waiting for.
trino_is_up() { grep -q 'SERVER STARTED' "$1" || gone "$trino_pid"; }
