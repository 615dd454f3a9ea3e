#!/bin/bash
# A real Kafka and a real schema registry for the tests, from Maven Central, into build/kafka; only when something is missing.
#
#   libs/                  the jars of the broker
#   registry/              the registry, unpacked
#   bootstrap.checkpoint   what formatting a broker's folder gives, the same for every broker (tests/lib/kafka.c copies it)
#   kafka.jsa registry.jsa the classes as Java keeps them in memory, from one trial run: half the time to start
#   stamp                  written last: all of the above is there
set -eu
cd "$(dirname "$0")/../.."
out=$PWD/build/kafka
pom=tests/kafka/pom.xml

missing=()
command -v java >/dev/null || missing+=(openjdk-17-jre-headless)
command -v mvn >/dev/null || missing+=(maven)
if [ ${#missing[@]} -gt 0 ]; then
	echo "kafka: tests need Java and Maven to run a real broker; install the Debian packages openjdk-17-jre-headless and maven" \
		"(missing: ${missing[*]})" >&2
	exit 1
fi
java_is=$(java -version 2>&1 | head -n 1)
java_number=$(sed -n 's/.*version "\([0-9]*\).*/\1/p' <<<"$java_is")
if [ "${java_number:-0}" -lt 17 ]; then
	echo "kafka: $java_is: Kafka 4 needs Java 17 or newer; install the Debian package openjdk-17-jre-headless" >&2
	exit 1
fi

# The folder is part of it: Java's archives hold the paths of the jars.
state=$(cat "$pom" tests/kafka/fetch.sh | cksum; echo "$java_is"; echo "$out")
mkdir -p "$out"
exec 9>"$out/lock"
flock 9
[ "$(cat "$out/stamp" 2>/dev/null)" = "$state" ] && exit 0

work=$out/work
log=$work/log
rm -rf "$out"/{stamp,libs,registry,work,bootstrap.checkpoint,kafka.jsa,registry.jsa}
mkdir -p "$work" "$out/registry"
trial=
end() {
	[ -z "$trial" ] || kill -KILL "$trial" 2>/dev/null || true
	rm -rf "$work"
}
trap end EXIT

fail() {
	tail -n 20 "$log" >&2
	echo "kafka: $1" >&2
	exit 1
}

say() { printf '  KAFKA %s\n' "$1"; }

get() {
	mvn -q -B -ntp -f "$pom" "$@" >>"$log" 2>&1 || fail "download from Maven Central failed (is there a mirror or proxy to be set in ~/.m2/settings.xml?)"
}

free_port() {
	/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

say "broker (43 MB) from Maven Central"
get package -Dout="$out"
say "schema registry (109 MB) from Maven Central"
registry=$(sed -n 's@.*<registry>\(.*\)</registry>.*@\1@p' "$pom")
# Version 2.8 of the plugin: newer ones want the description of the parent even of a single file.
get org.apache.maven.plugins:maven-dependency-plugin:2.8:get -Dtransitive=false -Dartifact="$registry" -Ddest="$work/registry.tar.gz"
tar -xzf "$work/registry.tar.gz" -C "$out/registry" 2>>"$log" || fail "unpacking the registry failed"

# One broker is formatted, and both are run once to their orderly end. The archives are a matter of speed: without them the tests
# work, too.
say "trial run"
jvm=(-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Djava.io.tmpdir="$work")
broker=$(free_port) controller=$(free_port) http=$(free_port)
cat >"$work/server.properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$broker,CONTROLLER://127.0.0.1:$controller
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$work/data
log.cleaner.dedupe.buffer.size=4194304
END
cd "$out"
id=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n' | cut -c1-22)
java "${jvm[@]}" -cp 'libs/*' kafka.tools.StorageTool format -t "$id" -c "$work/server.properties" >>"$log" 2>&1 ||
	fail "the broker's folder could not be formatted"
cp "$work/data/bootstrap.checkpoint" .

try() { # port, archive, what to run
	local ready=$1 archive=$2 until=$((SECONDS + 60))
	shift 2
	java "${jvm[@]}" -XX:ArchiveClassesAtExit="$work/$archive" "$@" >>"$log" 2>&1 9>&- &
	trial=$!
	until (exec 3<>"/dev/tcp/127.0.0.1/$ready") 2>/dev/null; do
		kill -0 "$trial" 2>/dev/null && [ $SECONDS -lt $until ] || fail "${archive%.jsa}: the trial run did not start"
		read -r -t 0.1 <> <(:) || true
	done
	kill -TERM "$trial"
	wait "$trial" || true
	trial=
	[ ! -f "$work/$archive" ] || mv -f "$work/$archive" .
}
try "$broker" kafka.jsa -cp 'libs/*' kafka.Kafka "$work/server.properties"
try "$http" registry.jsa -Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port="$http" -Dquarkus.profile=prod \
	-Dapicurio.storage.kind=sql -Dapicurio.storage.sql.kind=h2 -Dapicurio.datasource.url=jdbc:h2:mem:registry \
	-Dapicurio.ccompat.use-canonical-hash=true -jar registry/apicurio-registry-app-*-runner.jar
printf '%s\n' "$state" >"$out/stamp"
