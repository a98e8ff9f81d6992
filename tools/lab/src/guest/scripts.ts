/** Every line that the guest prints on its serial console starts with this word. */
export const guestPrefix = 'IRONBARK-GUEST';

/** Commands of busybox that the scripts use; each becomes a link. */
export const busyboxCommands: readonly string[] = [
  ['acpid', 'cat', 'cut', 'grep', 'insmod', 'ls', 'mkdir', 'mount', 'poweroff', 'readlink', 'sh', 'sleep'],
  ['switch_root', 'sync', 'tail', 'usleep'],
].flat();

/** /init of the initramfs: logs in to every target of the iBFT and mounts the first partition of the first one. */
export const initramfsInit = `#!/bin/sh
export PATH=/bin:/sbin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
say() { echo "${guestPrefix} $*" >/dev/ttyS0; }
fail() { say "FAIL $*"; exec sh -c 'while :; do sleep 3600; done'; }

while read -r module; do insmod "/modules/$module" || say "WARN module $module"; done </modules/order
ibft=/sys/firmware/ibft
[ -d $ibft/target0 ] || fail no-ibft
for target in $ibft/target*; do
  say "IBFT $(cat $target/target-name) portal=$(cat $target/ip-addr):$(cat $target/port) lun=$(cat $target/lun)" \\
    "chap=$(cat $target/chap-name 2>/dev/null) mutual=$(cat $target/rev-chap-name 2>/dev/null)"
done

mkdir -p /run/lock
iscsistart -N >/run/network.log 2>&1 || { tail -n 3 /run/network.log >/dev/ttyS0; fail network; }
iscsistart -b >/run/login.log 2>&1 || say "LOGIN $(tail -n 1 /run/login.log)"

wanted=$(cat $ibft/target0/target-name)
# The kernel prints the LUN byte by byte and without padding: "01000000" is 00 01, LUN 1, "412c000000" is 41 2c, LUN 300 with
# flat addressing (SAM-5 section 4.7.3), which Linux numbers as 0x412c.
lun=$(cat $ibft/target0/lun); lun=\${lun%000000}
case $lun in [4-7]?*) low=\${lun#??} ;; *) low=\${lun#?} ;; esac
lun=$((0x\${lun%"$low"} * 256 + 0x$low))
tries=0
while :; do
  for session in /sys/class/iscsi_session/session*; do
    [ "$(cat $session/targetname 2>/dev/null)" = "$wanted" ] || continue
    for disk in $session/device/target*/*:$lun/block/sd*; do [ -b "/dev/\${disk##*/}1" ] && break 3; done
  done
  tries=$((tries + 1))
  [ $tries -lt 100 ] || { tail -n 5 /run/login.log >/dev/ttyS0; fail no-root; }
  usleep 100000
done
mount -t ext4 -o ro "/dev/\${disk##*/}1" /root || fail mount
for directory in dev proc sys; do mount --move /$directory /root/$directory; done
exec switch_root /root /sbin/init
`;

/** /sbin/init of the volume: says where it runs from, then waits for the power button. */
export const volumeInit = `#!/bin/sh
export PATH=/bin:/sbin
say() { echo "${guestPrefix} $*" >/dev/ttyS0; }
# The power button counts from the moment when somebody listens: before anyone is told that the guest is up.
mount -t tmpfs run /run
acpid -d -c /etc/acpi 2>/dev/null &
until ls -l /proc/$!/fd | grep -q /dev/input/event; do usleep 20000; done
read -r root rest <<MOUNTS
$(while read -r device point type rest; do [ $point = / ] && [ $type = ext4 ] && echo $device; done </proc/mounts)
MOUNTS
path=$(readlink -f /sys/class/block/\${root##*/})
session=\${path##*/session}; session=session\${session%%/*}
count=0; targets=
for each in /sys/class/iscsi_session/session*; do
  name=$(cat $each/targetname); count=$((count + 1)); targets=\${targets:+$targets,}$name
  number=\${each##*/session}; connection=/sys/class/iscsi_connection/connection$number:0
  disks=; for disk in $each/device/target*/*/block/sd*; do [ -d $disk ] && disks=\${disks:+$disks,}\${disk##*/}; done
  say "SESSION target=$name portal=$(cat $connection/persistent_address):$(cat $connection/persistent_port)" \\
    "chap=$(cat $each/username) mutual=$(cat $each/username_in) disks=$disks"
done
say "ROOT-OK root=$root session=$(cat /sys/class/iscsi_session/$session/targetname) sessions=$count targets=$targets" \\
  "initiator=$(cat /sys/class/iscsi_session/$session/initiatorname) uptime=$(cut -d' ' -f1 /proc/uptime)"
wait
while :; do sleep 3600; done
`;

/** What busybox acpid runs for the power button (input event EV_KEY, KEY_POWER). */
export const powerButton = `#!/bin/sh
echo "${guestPrefix} POWER-BUTTON" >/dev/ttyS0
sync
exec /bin/poweroff -f
`;
