# Sourced. A catalog in the place of Polaris, with its code for giving out sessions.

# start_catalog FILE: as one of deploy/components/polaris says; sets catalog_url. The pair comes as env.yaml
# there has it.
start_catalog() {
  local port home=$ROOT/target/polaris/catalog/target
  port=$(free_ports 1)
  placed "polaris/$1" >"$world_home/catalog.json"
  catalog_url=http://127.0.0.1:$port/api/catalog
  start "$world_home/catalog.log" in_env polaris "$(java_home 25)/bin/java" -Xmx400m -cp "$home/catalog.jar:$home/dependency/*" \
    bluebucket.catalog.Server "$port" "$world_home/catalog.db" "$world_home/catalog.json"
  await 90 answers "$catalog_url/v1/config" || { echo "the catalog did not start" >&2; tail -n 5 "$world_home/catalog.log" >&2; return 1; }
}
