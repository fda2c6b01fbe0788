#!/bin/sh
# deps.sh [check|deep|demo|lint]: installs what building, checking and the demo need (or building and the one named, or linting).
# Nothing missing: says nothing.  Root, or sudo that asks nothing: installs.  Otherwise prints the one line to type, exit 1.
set -u

missing=

# want PACKAGES COMMAND...: PACKAGES (apt:dnf:brew) are wanted when the command fails
want() {
	names=$1
	shift
	"$@" >/dev/null 2>&1 && return
	n=$(echo "$names" | cut -d: -f"$field")
	[ -z "$n" ] || missing="$missing $n"
}

have() { command -v "$1"; }
# shellcheck disable=SC2317 # called through want
lib() { pkg-config --exists "$1"; }

if have apt-get >/dev/null; then
	field=1 install="apt-get install -y --no-install-recommends"
elif have dnf >/dev/null; then
	field=2 install="dnf install -y"
elif have brew >/dev/null; then
	field=3 install="brew install"
else
	field=1 install="install these packages:"
fi

case ${1:-} in
lint)
	want shellcheck:ShellCheck:shellcheck have shellcheck
	want cppcheck:cppcheck:cppcheck have cppcheck
	want mandoc:mandoc:mandoc have mandoc ;;
*)
	want gcc:gcc:gcc have "${CC:-cc}"
	want libc6-dev:glibc-devel: test -e /usr/include/stdio.h -o "$field" = 3
	want pkg-config:pkgconf-pkg-config:pkg-config have pkg-config
	want libzstd-dev:libzstd-devel:zstd lib libzstd
	want libbsd-dev:libbsd-devel:libbsd lib libbsd-overlay
	want libmd-dev:libmd-devel:libmd lib libmd
	want zlib1g-dev:zlib-devel:zlib lib zlib
	want libjansson-dev:jansson-devel:jansson lib jansson ;;
esac
case ${1:-check} in
check | deep)
	want bats:bats:bats-core have bats
	want zstd:zstd:zstd have zstd
	want jq:jq:jq have jq
	want mandoc:mandoc:mandoc have mandoc
	want strace:strace: have strace
	want bsdutils:util-linux-script: have script ;;
esac
case ${1:-} in
deep)
	want clang:clang:llvm have clang
	want libomp-dev:libomp-devel:libomp sh -c 'echo "int main(void) { return 0; }" | clang -fopenmp -x c - -o /dev/null' ;;
esac
case ${1:-demo} in
demo)
	want gnuplot-nox:gnuplot:gnuplot have gnuplot ;;
esac
[ -n "$missing" ] || exit 0

# shellcheck disable=SC2086 # words are wanted
case $install in
brew*)
	exec $install $missing ;;
apt*)
	line="apt-get update && $install$missing" ;;
*)
	line="$install$missing" ;;
esac
if [ "$(id -u)" = 0 ]; then
	echo "deps: $line"
	DEBIAN_FRONTEND=noninteractive exec sh -c "$line"
elif have sudo >/dev/null && sudo -n true 2>/dev/null; then
	echo "deps: sudo $line"
	exec sudo -n env DEBIAN_FRONTEND=noninteractive sh -c "$line"
fi
echo "some packages are missing; as root, type:" >&2
echo "	$line" >&2
exit 1
