#!/bin/sh
# Run by mmdebstrap ($1 is the new root) once the essential packages are there:
# system users and groups get their fixed ids before any package asks for one.
set -eu
here=$(dirname "$0")
for f in passwd group shadow gshadow; do
    cat "$here/accounts/$f" >> "$1/etc/$f"
done
