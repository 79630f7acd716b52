#!/bin/sh
# fetch_civetweb.sh DEPS_DIR
# Gets the source of Debian's civetweb for this machine's release, with Debian's patches applied, into
# DEPS_DIR/civetweb-VERSION and prints that directory. Does nothing when it is there already.
#
# The machine's apt configuration is read and never changed: its deb entries are turned into deb-src
# entries of a temporary configuration, so that apt checks signatures and hashes as always. Only the two
# tar archives are taken; the .dsc beside them adds nothing that the signed index does not say.
# Works as root and as a user. Needs apt, tar, xz and patch.
set -eu

fail() {
  echo "fetch_civetweb.sh: $*" >&2
  exit 1
}

[ $# -eq 1 ] || fail "usage: fetch_civetweb.sh DEPS_DIR"
mkdir -p "$1" || fail "cannot make the directory $1"
deps=$(cd "$1" && pwd)
etc=${SPIRE_EXPORTER_APT_ETC:-/etc/apt}  # elsewhere in tests

for ready in "$deps"/civetweb-*/src/civetweb.c; do
  if [ -f "$ready" ]; then
    dirname "$(dirname "$ready")"
    exit 0
  fi
done

for tool in apt-get tar xz patch; do
  command -v "$tool" >/dev/null || fail "$tool is missing: apt-get install apt tar xz-utils patch"
done

work=$(mktemp -d "$deps/.fetch.XXXXXX") || fail "cannot write to $deps"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$work/parts" "$work/lists/partial" "$work/cache/archives/partial" "$work/download"

# Entries of both styles; lines that are no deb entry, and media that hold no sources, are left out.
: >"$work/sources.list"
for list in "$etc/sources.list" "$etc"/sources.list.d/*.list; do
  if [ -f "$list" ]; then
    sed -n -e '/cdrom:/d' -e 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$list" >>"$work/sources.list"
  fi
done
for list in "$etc"/sources.list.d/*.sources; do
  if [ -f "$list" ]; then
    sed -e 's/^Types:.*/Types: deb-src/' "$list" >"$work/parts/$(basename "$list")"
  fi
done

apt() {
  apt-get -q -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts="$work/parts" \
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root \
    -o APT::Update::Post-Invoke-Success::= "$@" >>"$work/log" 2>&1
}

# A third party's entry without sources makes an update fail in part; what matters is civetweb.
apt update || true
find "$work/lists" -name '*_Sources*' | grep -q . ||
  fail "cannot reach the package archives: $(grep -E '^(E:|W: Failed)' "$work/log" | head -n 1 | grep . || echo "no deb entry under $etc")"
cd "$work/download"
for part in --tar-only --diff-only; do
  apt source --download-only "$part" civetweb ||
    fail "cannot get the source of civetweb: $(grep '^E:' "$work/log" | tail -n 1 | grep . || tail -n 1 "$work/log")"
done

orig=$(find . -name 'civetweb_*.orig.tar.*' | head -n 1)
debian=$(find . -name 'civetweb_*.debian.tar.*' | head -n 1)
if [ -z "$orig" ] || [ -z "$debian" ]; then fail "apt brought no source archives of civetweb"; fi
version=${debian#./civetweb_}
version=${version%.debian.tar.*}

tree=$work/tree
mkdir "$tree"
tar -xf "$orig" -C "$tree" --strip-components=1 || fail "cannot unpack $orig"
tar -xf "$debian" -C "$tree" || fail "cannot unpack $debian"
while read -r name _; do
  case $name in '' | '#'*) continue ;; esac
  patch -d "$tree" -p1 -s <"$tree/debian/patches/$name" >>"$work/log" 2>&1 ||
    fail "Debian's patch $name does not apply to civetweb $version"
done <"$tree/debian/patches/series"
[ -f "$tree/src/civetweb.c" ] || fail "the source of civetweb $version has no src/civetweb.c"

# The move is the last step, so that a directory of that name is always whole.
mv -T "$tree" "$deps/civetweb-$version" 2>/dev/null || [ -f "$deps/civetweb-$version/src/civetweb.c" ] ||
  fail "cannot move the source to $deps/civetweb-$version"
echo "$deps/civetweb-$version"
