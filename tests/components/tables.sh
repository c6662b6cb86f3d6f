# Sourced after world.sh. What the components around tables have in common.

. "$ROOT/tests/components/java.sh"
. "$ROOT/tests/components/polaris/polaris.sh"
. "$ROOT/tests/components/trino/trino.sh"
. "$ROOT/tests/components/kafka-connect/connect.sh"

tables_python=$ROOT/target/venv-tables/bin/python
catalog_of_manifests=http://polaris.polaris.svc.cluster.local:8181/api/catalog

# placed FILE: one of deploy/components as it is, with the addresses that hold here.
placed() {
  sed -e "s|$endpoint_of_manifests|$s3_url|g" -e "s|$catalog_of_manifests|${catalog_url:-}|g" "$ROOT/deploy/components/$1"
}

# in_env COMPONENT COMMAND...: with the variables of the component's env.yaml, taken from the secrets that it names. Takes
# the place of the shell that calls it, so that they reach nothing else.
in_env() {
  local name secret value
  while read -r name secret value; do
    [ "$secret" = - ] || value=$(cat "$world_home/secrets/$secret/$value")
    export "$name=$value"
  done < <(sed -n -e '/^  - name: /{s///;N;N;s/\n.*{name: \(.*\), key: \(.*\)}$/ \1 \2/p}' -e 's/^  - {name: \(.*\), value: \(.*\)}$/\1 - \2/p' \
    "$ROOT/deploy/components/$1/env.yaml")
  shift
  if [ "$(type -t "$1")" = function ]; then "$@"; else exec "$@"; fi
}

# trust_world: what is started from now on trusts the facade's certificate.
trust_world() {
  export AWS_CA_BUNDLE=$s3_ca
  export JAVA_TOOL_OPTIONS="-Djavax.net.ssl.trustStore=$s3_trust -Djavax.net.ssl.trustStorePassword=changeit"
}
