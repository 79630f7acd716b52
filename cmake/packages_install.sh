#!/usr/bin/env bash
# packages_install.sh PACKAGE... (as root): installs Debian packages without making them services.
#
# Debian's postgresql creates a cluster when it is installed, and its servers are started and switched on
# for the next boot. None of that is wanted here: the lab runs the programs by itself. So while apt works
#   - /usr/sbin/policy-rc.d, which Debian's scripts ask before they touch a service, says no;
#   - createcluster.conf says that no cluster is to be made;
# and what stood there before is put back afterwards. Units that this run brought are switched off for
# the boot; those that were there before are left as they are.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true UCF_FORCE_CONFFOLD=1
export NEEDRESTART_SUSPEND=1 # Ubuntu's needrestart would restart services
export LC_ALL=C

policy=/usr/sbin/policy-rc.d
policy_mark='# by packages_install.sh, for as long as it runs'
cluster=/etc/postgresql-common/createcluster.conf
cluster_template=/usr/share/postgresql-common/createcluster.conf
work=$(mktemp -d)

# The marks tell a file of ours that a killed run left behind from one of the machine's.
restore() {
  if [ -f "$policy" ] && grep -qF "$policy_mark" "$policy"; then
    rm -f "$policy"
  fi
  if [ -f "$policy.before" ]; then
    mv "$policy.before" "$policy"
  fi
  if [ -f "$cluster.before" ]; then
    mv "$cluster.before" "$cluster"
  elif [ -f "$cluster" ] && grep -qF "$policy_mark" "$cluster"; then
    rm -f "$cluster" "$cluster.ucf-dist"
    # what the package would have written
    if [ -f "$cluster_template" ]; then
      sed -e 's/^ssl =.*/ssl = on/' "$cluster_template" >"$cluster"
    else
      rmdir --ignore-fail-on-non-empty "$(dirname "$cluster")"
    fi
  fi
}

finish() {
  restore
  rm -rf "$work"
}

refuse_services() {
  restore # what a killed run left
  if [ -e "$policy" ]; then
    mv "$policy" "$policy.before"
  fi
  printf '#!/bin/sh\n%s\nexit 101\n' "$policy_mark" >"$work/policy"
  install -m 755 "$work/policy" "$policy"
}

refuse_clusters() {
  mkdir -p "$(dirname "$cluster")"
  if [ -e "$cluster" ]; then
    cp -p "$cluster" "$cluster.before"
  fi
  printf '\n%s\ncreate_main_cluster = false\n' "$policy_mark" >>"$cluster"
}

units() {
  find /lib/systemd/system /usr/lib/systemd/system -maxdepth 1 \
    \( -name '*.service' -o -name '*.socket' -o -name '*.timer' \) -printf '%f\n' 2>/dev/null | sort -u
}

# apt's own words matter only when it fails.
quietly() {
  if ! "$@" >"$work/log" 2>&1; then
    grep -E '^(E|W):|^dpkg: error' "$work/log" | tail -n 5 >&2 || tail -n 5 "$work/log" >&2
    return 1
  fi
}

apt_get() {
  quietly apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

if [ $# -eq 0 ] || [ "$(id -u)" != 0 ]; then
  echo "usage (as root): packages_install.sh PACKAGE..." >&2
  exit 2
fi
trap finish EXIT
trap 'exit 130' HUP INT TERM

units >"$work/units.before"
refuse_services
refuse_clusters
# With fresh lists first: those of a machine that was not updated for long name packages that are gone.
if ! apt_get update; then
  echo "packages_install.sh: the package lists could not be fetched in full, trying with what is there" >&2
fi
if ! apt_get install --no-install-recommends "$@"; then
  echo "packages_install.sh: apt-get could not install: $*" >&2
  exit 1
fi
units >"$work/units.after"
# Not every unit can be switched on at all, and not every machine has systemd or rc links: what does
# not apply fails, and that is well. deb-systemd-helper works for Debian's scripts only, by this variable.
comm -13 "$work/units.before" "$work/units.after" | while read -r unit; do
  DPKG_MAINTSCRIPT_PACKAGE=packages_install deb-systemd-helper disable "$unit" >/dev/null 2>&1 || true
  if [ -e "/etc/init.d/${unit%.service}" ]; then
    update-rc.d "${unit%.service}" disable >/dev/null 2>&1 || true
  fi
done
