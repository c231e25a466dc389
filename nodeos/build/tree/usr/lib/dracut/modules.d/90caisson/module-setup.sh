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
    inst_hook emergency 10 "$moddir/explain.sh"
    inst_hook shutdown-emergency 10 "$moddir/explain.sh"
}
