# about: every S3 client through every operation: over http and https with the emulator behind, over http with Azurite behind
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

# Some stand for the others where the depth is quick: over https one of each TLS library.
https=(--clients boto3,rclone,pyarrow,js) azurite=(--clients aws-cli-2,boto3,rclone)
full && https=() && azurite=()

start_emulator "$WORK"
table http ""
make_certificates "$WORK/tls"
start_emulator "$WORK"
table https "$WORK/tls" "${https[@]}"
start_azurite "$WORK"
table azurite "" "${azurite[@]}"
