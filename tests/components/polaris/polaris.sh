# Sourced after world.sh. A catalog in the place of Polaris, with its code for giving out sessions.

. "$ROOT/tests/components/java.sh"
. "$ROOT/tests/components/in_env.sh"

# start_catalog DIR CATALOG_JSON: sets catalog_url and catalog_pid. The pair comes as env.yaml of deploy/components/polaris
# has it. Started again on the same folder it has the tables and the address that it had.
start_catalog() {
  local port home=$ROOT/target/polaris/catalog/target
  [ -s "$1/catalog.port" ] || free_ports 1 >"$1/catalog.port"
  port=$(cat "$1/catalog.port")
  catalog_url=http://127.0.0.1:$port/api/catalog
  start "$1/catalog.log" in_env polaris "$(java_home 25)/bin/java" -Xmx400m -cp "$home/catalog.jar:$home/dependency/*" \
    bluebucket.catalog.Server "$port" "$1/catalog.db" "$2"
  catalog_pid=$pid
  await 90 answers "$catalog_url/v1/config" || { echo "the catalog did not start" >&2; tail -n 5 "$1/catalog.log" >&2; return 1; }
}
