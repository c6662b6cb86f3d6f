# about: every S3 client through every operation: over http with Azurite behind, over https with the emulator
# minutes: 12
. "$ROOT/tests/shell/stage.sh"
need_program

# table NAME TLS_DIR ARGUMENTS...: against the facade over the Blob service of the connection string.
table() {
  local name=$1 tls=$2 port
  shift 2
  port=$(free_ports 1)
  make_containers clients
  write_config "$WORK/$name.toml" facade="$port" ${tls:+tls="$tls"} clients-bucket=clients
  start_facade "$LOGS/$STAGE-facade-$name.log" "$WORK/$name.toml" "$port" "$tls"
  suite "clients over $name" "$python" "$ROOT/tests/clients/table.py" --endpoint "$facade_url" --access-key "$facade_key" \
    --secret-key "$TEST_FACADE_SECRET" --bucket clients-bucket ${tls:+--ca "$tls/ca.pem"} --json "$LOGS/$STAGE-$name.json" "$@"
  stop_all
}

make_certificates "$WORK/tls"
start_azurite "$WORK"
table http ""
start_emulator "$WORK"
# Keys are signed and escaped alike over http and https; bodies are not.
if full; then table https "$WORK/tls"; else table https "$WORK/tls" --without "odd keys,abort,create only"; fi
