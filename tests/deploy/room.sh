#!/bin/sh
# Run a program as process 1 of namespaces of its own: processes, mounts, network (lo only), host name, cgroups.
# Started by room.py, which has made all of them but that of the cgroups.
#
#   room.sh CGROUP MACHINE [FROM:TO]... -- COMMAND...
#
#   CGROUP   a new, empty cgroup (version 2), which the program sees as the whole tree
#   MACHINE  an empty folder: the program gets a machine of its own there, a view of this one's root that is written to
#            memory. "-": it gets this machine's files as they are.
#   FROM:TO  folders that the machine gets too, read-only: for what lies on other file systems, or in a home
set -eu

if [ "${IN_ROOM:-}" != 1 ]; then
    echo 0 >"$1/cgroup.procs"
    IN_ROOM=1 exec unshare --cgroup "$0" "$@"
fi
machine=$2
shift 2

mount --make-rprivate /
ip link set lo up

if [ "$machine" = - ]; then
    shift # --
    mount -t proc proc /proc
    umount -R /sys/fs/cgroup
    mount -t cgroup2 cgroup /sys/fs/cgroup
    # Only a cgroup without processes can have children with limits: process 1 makes room for containers.
    mkdir /sys/fs/cgroup/init
    echo 0 >/sys/fs/cgroup/init/cgroup.procs
    exec "$@"
fi

mount -t tmpfs machine "$machine"
mkdir "$machine/upper" "$machine/work" "$machine/root"
mount -t overlay -o "lowerdir=/,upperdir=$machine/upper,workdir=$machine/work" machine "$machine/root"

while [ "$1" != -- ]; do
    from=${1%%:*} to=$machine/root${1#*:}
    mkdir -p "$to"
    mount --bind "$from" "$to"
    mount -o remount,bind,ro "$to"
    shift
done
shift
cd "$machine/root"

# What the kernel does not keep apart is not to be changed from in here.
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup sys/fs/cgroup

mount -t tmpfs -o mode=755 dev dev
for device in null zero full random urandom tty; do
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx

# Nor is there what this machine happens to have: units, logs, a routecast of its own.
mount -t tmpfs -o mode=1777 tmp tmp
for folder in run etc/systemd/system etc/routecast var/log var/lib/routecast; do
    mkdir -p "$folder"
    mount -t tmpfs -o mode=755 empty "$folder"
done
# No mount: systemd renames from var/lib to here. What goes is only gone in this view.
rm -rf var/lib/private
mkdir -m 700 var/lib/private
: >etc/fstab

# Not chroot: what enters the mounts of a service in here would come out on this machine's own files.
pivot_root . mnt
umount -l /mnt
cd /
# As systemd finds it on a real machine; it hands credentials to services by way of it.
mount --make-rshared /

exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    setpriv --bounding-set=-sys_module,-sys_time,-sys_boot,-sys_rawio "$@"
