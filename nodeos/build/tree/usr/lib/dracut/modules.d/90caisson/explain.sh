#!/bin/sh
# Sourced by dracut when it gives up. Says on every console, in plain words,
# which medium or partition was looked for and what is there instead.

command -v getarg > /dev/null || . /lib/dracut-lib.sh

caisson_explain() {
    _label=$(getarg root=)
    _label=${_label#live:}
    echo
    echo "==================== CAISSON: THIS MACHINE CANNOT BOOT ===================="
    if getargbool 0 rd.live.image && [ -d /run/initramfs/live/caisson ]; then
        echo "The medium was found, but the system image on it cannot be started:"
        echo "  looked for: $(getarg rd.live.dir=)/$(getarg rd.live.squashimg=)"
        echo "The medium is damaged or not complete. Write it again and check its digest."
    elif getargbool 0 rd.live.image; then
        echo "The installation medium was not found."
        echo "  looked for: a disk or optical drive whose volume label is ${_label#CDLABEL=}"
        echo "What to do: plug the stick in again (another port, no hub), attach the"
        echo "virtual medium again, or write the image to another stick; then restart."
    else
        echo "The installed system cannot be started from slot $(getarg caisson.slot=)."
        echo "  looked for: $(getarg systemd.verity_root_data=) with root hash $(getarg roothash=)"
        echo "The disk is missing, or what is on it differs from what was installed."
        echo "After three tries the boot menu takes the previous version, if there is one."
    fi
    echo "Seen on this machine:"
    _seen=$(blkid -o full 2> /dev/null)
    if [ -n "$_seen" ]; then
        echo "$_seen" | while read -r _line; do echo "  $_line"; done
    else
        echo "  no disk or medium at all: the storage controller may lack a driver"
    fi
    echo "==========================================================================="
    echo
}

_words=$(caisson_explain)
while read -r _tty _rest; do
    echo "$_words" > "/dev/$_tty"
done < /proc/consoles
unset _words _tty _rest _label _seen
