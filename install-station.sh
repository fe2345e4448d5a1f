#!/usr/bin/env bash
# install-station.sh PIP EXTRAS: the station from this checkout, with the extras named (a comma between them). What an extra needs may have no
# package for this Python or this processor: that one is left out, and told; the rest is installed.
set -uo pipefail
pip=$1
extras=$2
install=("$pip" install --quiet --disable-pip-version-check --constraint constraints.txt --editable)
said=$(mktemp)
trap 'rm -f "$said"' EXIT

"${install[@]}" ".[$extras]" && exit 0
echo "Not all of it installs together; the station alone, then each extra:" >&2
"${install[@]}" . || exit 1
left_out=()
for extra in ${extras//,/ }; do
    if ! "${install[@]}" ".[$extra]" 2>"$said"; then
        left_out+=("$extra")
        echo "The extra $extra is left out: $(grep -m1 '^ERROR' "$said" || tail -n1 "$said")" >&2
    fi
done
[ ${#left_out[@]} -eq 0 ] && exit 0
echo "Installed without: ${left_out[*]}. What needs them says so by their name. Next: another Python (make clean, then" \
    "make setup PYTHON=…), or make setup EXTRAS=… without them" >&2
