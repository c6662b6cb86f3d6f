# Sourced after world.sh. The environment of an agent of WarpStream.

. "$ROOT/tests/components/in_env.sh"

# as_agent COMPONENT COMMAND...: with the variables that the chart makes of the component's values.yaml.
as_agent() (
  url=$(sed -n 's/^  bucketURL: "\(.*\)"$/\1/p' "$ROOT/deploy/components/$1/values.yaml")
  export WARPSTREAM_BUCKET_URL=${url/"$endpoint_of_manifests"/$s3_url}
  in_env "$@"
)
