#!/usr/bin/env bash
# Install the Debian packages listed in the file given, if any is missing. Without root: print the one line to run as root.
set -euo pipefail
mapfile -t wanted < <(grep -vE '^\s*(#|$)' "$1")
missing=()
for package in "${wanted[@]}"; do
    # a package may be provided by a renamed one (libglib2.0-0t64 on newer releases)
    # or its program installed another way (npm comes with some distributions of Node.js)
    command -v "$package" >/dev/null && continue
    # (dpkg-query fails when it knows only one of the two names)
    found=$(dpkg-query -W -f='${Status}\n' "$package" "${package}t64" 2>/dev/null || true)
    if ! grep -q 'install ok installed' <<<"$found"; then
        missing+=("$package")
    fi
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "These system packages are missing: ${missing[*]}. Run this once, then make again:" >&2
    echo "    sudo apt-get update && sudo apt-get install -y ${missing[*]}" >&2
    exit 1
fi
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "${missing[@]}"
