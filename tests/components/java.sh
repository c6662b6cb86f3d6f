# Sourced. The Java that a component needs.

# java_home VERSION: where that Java is; nothing if there is none.
java_home() {
  local given=JAVA_HOME_${1}_X64 home
  for home in "${!given:-none}" /usr/lib/jvm/*-"$1"-*; do
    [ ! -x "$home/bin/java" ] || { echo "$home"; return; }
  done
  return 1
}
