#!/bin/sh
# Run by mmdebstrap ($1 is the new root) after all packages: lays Caisson's own
# tree over Debian's, sets which units are on, and makes the initramfs. Proc and
# sys are mounted there by mmdebstrap.
set -eu
here=$(dirname "$0")
unset TMPDIR
tar --extract --numeric-owner --keep-directory-symlink --no-overwrite-dir --file "$here/tree.tar" --directory "$1"

# What is on is what the presets say, not what each package turned on.
find "$1/etc/systemd/system" -mindepth 1 -delete
chroot "$1" systemctl preset-all

# No device nodes in it: an ordinary user's build could not make them, and would
# differ. The kernel brings /dev/console, devtmpfs the rest.
export DRACUT_NO_MKNOD=1
kernel=$(ls "$1/usr/lib/modules")
chroot "$1" dracut --force --no-hostonly /boot/initrd.img "$kernel"
