# about: S3 to Azurite end to end: backfill, verify, a second backfill that copies nothing, all read back through the facade
# minutes: 15
. "$ROOT/tests/shell/stage.sh"
need_program
amounts=(--count 1000 --total 400M --big 200M)
full && amounts=(--count 10000 --total 4G --big 2G)
buckets=(local-rocksdb-test=flink local-iceberg-test=iceberg local-warpstream-test=warpstream)
names=local-rocksdb-test,local-iceberg-test,local-warpstream-test

start_seaweedfs "$WORK"
start_azurite "$WORK"
make_buckets "$seaweedfs_url" "" ${names//,/ }
make_containers flink iceberg warpstream
check "fill" "$python" "$ROOT/tests/python/fill_source.py" --endpoint "$seaweedfs_url" --access-key "$access_key" --secret-key "$secret_key" \
  --buckets "$names" --manifest "$WORK/manifest.ndjson" --seed "${SEED:-$RANDOM}" --seaweedfs "${amounts[@]}"

write_config "$WORK/mover.toml" source="$seaweedfs_url" "${buckets[@]}"
objects=$(wc -l <"$WORK/manifest.ndjson")
check "plan" bluebucket "$WORK/mover.toml" plan
check "backfill" bluebucket "$WORK/mover.toml" backfill
check "backfill copied all" counts_are "$(log_of backfill)" copied="$objects" failed=0
check "verify" bluebucket "$WORK/mover.toml" "${compare_everything[@]}"
check "second backfill" bluebucket "$WORK/mover.toml" backfill
check "second backfill copied nothing" counts_are "$(log_of "second backfill")" copied=0 unchanged="$objects" failed=0

port=$(free_ports 1)
write_config "$WORK/facade.toml" facade="$port" "${buckets[@]}"
start_facade "$LOGS/$STAGE-facade.log" "$WORK/facade.toml" "$port"
suite "read back" "$python" "$ROOT/tests/python/compare_facade.py" --endpoint "$facade_url" --access-key "$facade_key" \
  --secret-key "$TEST_FACADE_SECRET" --manifest "$WORK/manifest.ndjson"

# Keys and misbehaviour that other S3 servers do not have.
start "$WORK/odd.log" "$python" "$ROOT/tests/python/s3_source_odd_keys.py" "$ROOT/tests/python/odd_objects.json" --log "$LOGS/$STAGE-odd-requests.ndjson"
await 20 test -s "$WORK/odd.log"
make_containers odd-keys odd-objects misbehaving
for bucket in odd-keys odd-objects misbehaving; do
  write_config "$WORK/$bucket.toml" source="http://127.0.0.1:$(head -1 "$WORK/odd.log")" "$bucket=$bucket"
  # Not all of it can be copied: 3 says that some objects need attention.
  run_logged "$(log_of "backfill of $bucket")" bluebucket "$WORK/$bucket.toml" backfill || true
  check "backfill of $bucket ended well" test "$code" = 0 -o "$code" = 3
  suite "$bucket" "$python" "$ROOT/tests/python/compare_container.py" --objects "$ROOT/tests/python/odd_objects.json" \
    --bucket "$bucket" --container "$bucket" --report "$WORK/$bucket.toml.report.ndjson"
done
