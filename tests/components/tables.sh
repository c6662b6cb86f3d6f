# Sourced after world.sh. What the components around tables have in common.

. "$ROOT/tests/components/polaris/polaris.sh"
. "$ROOT/tests/components/trino/trino.sh"
. "$ROOT/tests/components/kafka-connect/connect.sh"

tables_python=$ROOT/target/venv-tables/bin/python
catalog_of_manifests=http://polaris.polaris.svc.cluster.local:8181/api/catalog

# placed FILE: one of deploy/components as it is, with the addresses that hold here.
placed() {
  sed -e "s|$endpoint_of_manifests|$s3_url|g" -e "s|$catalog_of_manifests|${catalog_url:-}|g" "$ROOT/deploy/components/$1"
}

# polaris FILE: the catalog that this file of deploy/components/polaris makes.
polaris() {
  placed "polaris/$1" >"$world_home/catalog.json"
  start_catalog "$world_home" "$world_home/catalog.json"
}

# trust_world: what is started from now on trusts the facade's certificate.
trust_world() {
  export AWS_CA_BUNDLE=$s3_ca
  export JAVA_TOOL_OPTIONS="-Djavax.net.ssl.trustStore=$s3_trust -Djavax.net.ssl.trustStorePassword=changeit"
}
