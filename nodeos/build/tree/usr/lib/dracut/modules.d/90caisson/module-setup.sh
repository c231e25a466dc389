#!/bin/bash
# Caisson's part of the initramfs: words for people when the boot cannot go on.

check() {
    return 0
}

depends() {
    echo base
}

install() {
    inst_multiple blkid cat
    inst_simple "$moddir/verity.conf" "/etc/systemd/system/systemd-veritysetup@root.service.d/10-caisson.conf"
    inst_hook emergency 10 "$moddir/explain.sh"
    inst_hook shutdown-emergency 10 "$moddir/explain.sh"
}
