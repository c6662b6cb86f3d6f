# Sourced after world.sh. The environment of a component that deploy/components describes by an env.yaml, or by the
# values.yaml of a chart.

# in_env COMPONENT COMMAND...: with the variables of the component's file, taken from the secrets that it names. Takes
# the place of the shell that calls it, so that they reach nothing else.
in_env() {
  local name secret value file=$ROOT/deploy/components/$1/env.yaml
  [ -f "$file" ] || file=$ROOT/deploy/components/$1/values.yaml
  while read -r name secret value; do
    [ "$secret" = - ] || value=$(cat "$world_home/secrets/$secret/$value")
    export "$name=$value"
  done < <(sed -n -e '/^  - name: /{s///;N;N;s/\n.*{name: \(.*\), key: \(.*\)}$/ \1 \2/p}' -e 's/^  - {name: \(.*\), value: "\{0,1\}\([^"]*\)"\{0,1\}}$/\1 - \2/p' "$file")
  shift
  if [ "$(type -t "$1")" = function ]; then "$@"; else exec "$@"; fi
}
