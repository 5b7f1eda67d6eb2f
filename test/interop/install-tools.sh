#!/usr/bin/env bash
# Installs the outside oracles of the tests, at pinned versions, into .tools.
# Skips what is already there. Without a toolchain it says what is missing and goes on;
# on CI it then exits with status 1.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

tools="$PWD/.tools"
missing=0

miss() {
  echo "missing: $1" >&2
  missing=1
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# go_tool <name> <version> <package> <installer>
go_tool() {
  local name=$1 version=$2 package=$3 installer=$4
  local bin="$tools/bin/$name"
  if ! has go; then
    if [ -x "$bin" ]; then echo "found: $name"; else miss "$name needs go in PATH"; fi
    return
  fi
  if go version -m "$bin" 2>/dev/null | awk -v wanted="$version" \
    '$1 == "mod" && $3 == wanted { found = 1 } END { exit !found }'; then
    echo "found: $name $version"
  elif "$installer" "$bin" "$version" "$package"; then
    echo "installed: $name $version"
  else
    miss "$name $version: the build failed, see above"
  fi
}

install_package() {
  GOBIN="$(dirname "$1")" go install "$3@$2"
}

# For modules whose deprecation notice `go install` cannot look up: no lookup happens for
# a dependency of a module of our own.
build_in_module() {
  local bin=$1 version=$2 package=$3 dir status
  dir="$(mktemp -d)"
  printf 'module tools\n\ngo 1.24\n\nrequire %s %s\n' "$package" "$version" >"$dir/go.mod"
  (cd "$dir" && GOFLAGS= go build -mod=mod -o "$bin" "$package")
  status=$?
  rm -rf "$dir"
  return "$status"
}

# own_program <name> <folder>: a Go program of this repository.
own_program() {
  local bin="$tools/bin/$1"
  if ! has go; then
    if [ -x "$bin" ]; then echo "found: $1"; else miss "$1 needs go in PATH"; fi
  elif (cd "$2" && GOFLAGS=-mod=readonly go build -buildvcs=false -o "$bin" .); then
    echo "built: $1"
  else
    miss "$1: the build failed, see above"
  fi
}

# python_packages <name==version>...
python_packages() {
  local python="$tools/venv/bin/python"
  if [ -x "$python" ] && "$python" - "$@" <<'PYTHON' 2>/dev/null; then
import sys
from importlib.metadata import version

for pin in sys.argv[1:]:
    name, wanted = pin.split("==")
    assert version(name) == wanted
PYTHON
    echo "found: $*"
  elif ! has python3; then
    miss "$* needs python3 in PATH"
  elif python3 -m venv "$tools/venv" &&
    "$python" -m pip install --quiet --disable-pip-version-check "$@"; then
    echo "installed: $*"
  else
    miss "$*: venv or pip failed, see above"
  fi
}

# Comes from the system; the tests need one that speaks HTTP/2.
curl_with_http2() {
  if ! curl_speaks_http2 && [ "${CI:-}" = true ] && has apt-get; then
    local sudo=""
    if [ "$(id -u)" != 0 ]; then sudo="sudo"; fi
    $sudo apt-get update -qq && $sudo apt-get install -qq -y curl
  fi
  if curl_speaks_http2; then echo "found: curl with HTTP/2"; else miss "curl with HTTP/2"; fi
}

curl_speaks_http2() {
  local version
  version="$(curl --version 2>/dev/null)" && [[ $version == *HTTP2* ]]
}

# debian_command <command> <package>: comes from the system, and on CI from Debian.
debian_command() {
  if ! has "$1" && [ "${CI:-}" = true ] && has apt-get; then
    local sudo=""
    if [ "$(id -u)" != 0 ]; then sudo="sudo"; fi
    $sudo apt-get update -qq && $sudo apt-get install -qq -y --no-install-recommends "$2"
  fi
  if has "$1"; then echo "found: $1"; else miss "$1, which Debian has in its package $2"; fi
}

mkdir -p "$tools/bin"
go_tool connectconformance v1.0.5 connectrpc.com/conformance/cmd/connectconformance install_package
go_tool grpcurl v1.9.4 github.com/fullstorydev/grpcurl/cmd/grpcurl install_package
go_tool grpc-health-probe v0.4.38 github.com/grpc-ecosystem/grpc-health-probe build_in_module
go_tool h2spec v2.2.1+incompatible github.com/summerwind/h2spec/cmd/h2spec install_package
own_program cli-go-server test/cli/go-server
own_program cli-k8s-check test/cli/k8s-check
python_packages grpcio==1.85.1 grpcio-tools==1.85.1 opentelemetry-proto==1.45.2 \
  protovalidate==1.2.0 PyJWT==2.10.1 cryptography==50.0.2
curl_with_http2
debian_command chromium chromium
debian_command openssl openssl
debian_command prometheus prometheus
debian_command promtool prometheus
debian_command redis-server redis-server
debian_command nginx nginx
debian_command haproxy haproxy

if [ "$missing" = 1 ] && [ "${CI:-}" = true ]; then exit 1; fi
exit 0
