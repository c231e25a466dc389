#!/bin/sh
# Writes the NVMe host id and name and the iSCSI initiator name if they are not
# there. Each file is renamed into place, so a power cut leaves all or nothing.
set -eu
umask 022

put() {
    [ -s "$1" ] && return 0
    mkdir -p "${1%/*}"
    cat > "$1.new"
    [ -n "${2:-}" ] && chmod "$2" "$1.new"
    sync "$1.new"
    mv "$1.new" "$1"
}

[ -x /usr/sbin/nvme ] && {
    uuidgen | put /etc/nvme/hostid
    echo "nqn.2014-08.org.nvmexpress:uuid:$(cat /etc/nvme/hostid)" | put /etc/nvme/hostnqn
}
[ -x /usr/sbin/iscsi-iname ] && {
    echo "InitiatorName=$(iscsi-iname)" | put /etc/iscsi/initiatorname.iscsi 0600
}
exit 0
