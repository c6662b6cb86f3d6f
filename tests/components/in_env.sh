# Sourced after world.sh. The environment of a component that deploy/components describes by an env.yaml.

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
