# Sourced. The program under test: its configuration, and its servers.

BLUEBUCKET=${BLUEBUCKET:-$ROOT/target/release/bluebucket}
facade_key=TESTFACADE
export TEST_FACADE_SECRET=testfacadesecret

# write_config FILE [azure=URL] [source=URL] [facade=PORT] [tls=DIR] [mover='KEY = VALUE'] BUCKET=CONTAINER...
# Without a source the buckets are served from their containers alone.
# Credentials: AZURE_STORAGE_CONNECTION_STRING, and the key of the tests at the source. The mover's report lies
# beside the file, as FILE.report.ndjson.
write_config() {
  local file=$1 word source='' port='' tls='' mover=() buckets=()
  shift
  for word; do
    case $word in
      source=*) source=${word#*=} ;;
      facade=*) port=${word#*=} ;;
      tls=*) tls=${word#*=} ;;
      mover=*) mover+=("${word#*=}") ;;
      *) buckets+=("$word") ;;
    esac
  done
  export AWS_ACCESS_KEY_ID=$access_key AWS_SECRET_ACCESS_KEY=$secret_key
  config_text >"$file"
}

config_text() {
  local word
  printf '[azure]\ncredential = "connection-string"\nallow_plaintext = true\n\n'
  [ -z "$source" ] || printf '[source]\nendpoint = "%s"\nregion = "us-east-1"\naddressing = "path"\ncredentials = "static"\n\n' "$source"
  for word in "${buckets[@]}"; do printf '[[bucket]]\nname = "%s"\ncontainer = "%s"\n\n' "${word%=*}" "${word#*=}"; done
  [ -z "$port" ] || printf '[facade]\nlisten = "127.0.0.1:%s"\nregion = "us-east-1"\n\n' "$port"
  [ -z "$tls" ] || printf '[facade.tls]\ncertificate_file = "%s/server.pem"\nkey_file = "%s/server.key"\n\n' "$tls" "$tls"
  [ -z "$port" ] || printf '[[facade.key]]\nname = "tests"\naccess_key_id = "%s"\nsecret_env = "TEST_FACADE_SECRET"\nbuckets = ["*"]\n\n' "$facade_key"
  printf '[mover]\nreport = "%s.report.ndjson"\n' "$file"
  [ ${#mover[@]} = 0 ] || printf '%s\n' "${mover[@]}"
  printf '\n[admin]\nlisten = "127.0.0.1:%s"\n\n[log]\nformat = "human"\nfilter = "info"\n' "$(free_ports 1)"
}

# bluebucket CONFIG COMMAND...: runs one command of the program.
bluebucket() {
  local config=$1
  shift
  "$BLUEBUCKET" "$@" --config "$config"
}

# start_facade LOG CONFIG PORT [TLS_DIR]: sets facade_url.
start_facade() {
  local scheme=http
  [ -z "${4:-}" ] || scheme=https
  start "$1" "$BLUEBUCKET" serve --config "$2"
  facade_url=$scheme://127.0.0.1:$3
  await 30 answers "$facade_url" "${4:+$4/ca.pem}" || { echo "the facade did not start" >&2; tail -20 "$1" >&2; return 1; }
}

# start_emulator DIR: as start_azurite, with the emulator of the program itself, which prints its connection string.
start_emulator() {
  rm -f "$1/emulator.log"
  start "$1/emulator.log" "$BLUEBUCKET" emulator --listen 127.0.0.1:0
  await 30 grep -q 'AccountName=' "$1/emulator.log" || { echo "the emulator did not start" >&2; tail -20 "$1/emulator.log" >&2; return 1; }
  AZURE_STORAGE_CONNECTION_STRING=$(grep 'AccountName=' "$1/emulator.log")
  export AZURE_STORAGE_CONNECTION_STRING
}

make_containers() { "$python" "$ROOT/tests/python/make_containers.py" "$@"; }

# is_so LOG JQ_FILTER: the filter is true of the last line of JSON in the log, the summary of a command with --json.
is_so() {
  local summary
  summary=$(grep -E '^\{.*\}$' "$1" | tail -1 || true)
  jq -e "$2" <<<"$summary" >/dev/null && return
  echo "not so: $2" >&2
  jq -c '.total // .' <<<"$summary" >&2
  return 1
}

# reads_back NAME MANIFEST BUCKET=CONTAINER...: everything of the manifest, through a facade, with boto3.
reads_back() {
  local name=$1 manifest=$2 port
  shift 2
  port=$(free_ports 1)
  write_config "$WORK/facade.toml" facade="$port" "$@"
  start_facade "$LOGS/$STAGE-facade.log" "$WORK/facade.toml" "$port"
  suite "$name" "$python" "$ROOT/tests/python/compare_facade.py" --endpoint "$facade_url" --access-key "$facade_key" \
    --secret-key "$TEST_FACADE_SECRET" --manifest "$manifest"
}
