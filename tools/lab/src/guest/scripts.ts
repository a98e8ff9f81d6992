/** Every line that the guest prints on its serial console starts with this word. */
export const guestPrefix = 'IRONBARK-GUEST';

/** Commands of busybox that the scripts use; each becomes a link. */
export const busyboxCommands: readonly string[] = [
  ['acpid', 'cat', 'cut', 'grep', 'insmod', 'ls', 'mkdir', 'mount', 'poweroff', 'readlink', 'sh', 'sleep'],
  ['switch_root', 'sync', 'tail', 'usleep'],
].flat();

const speak = `say() { printf '${guestPrefix} %s\\n' "$*" >/dev/ttyS0; }`;

const startOfInitramfs = `#!/bin/sh
export PATH=/bin:/sbin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
${speak}`;

// The power button counts from the moment when somebody listens: before anyone is told that the guest is up.
const listenToPowerButton = `acpid -d -c /etc/acpi 2>/dev/null &
until ls -l /proc/$!/fd 2>/dev/null | grep -q /dev/input/event; do usleep 20000; done`;

const stayUp = `wait
while :; do sleep 3600; done
`;

/** /init of an initramfs that holds the whole system: says what it was told on the kernel command line. */
export function residentInit(medium: 'RAMDISK' | 'ISO'): string {
  return `${startOfInitramfs}
while read -r module; do insmod "/modules/$module" || say "WARN module $module"; done </modules/order
${listenToPowerButton}
IFS= read -r arguments </proc/cmdline
say "${medium}-OK uptime=$(cut -d' ' -f1 /proc/uptime) arguments=$arguments"
${stayUp}`;
}

/**
 * /init of the initramfs: logs in to every target of the iBFT and mounts the first partition of the first one. Without an iBFT it
 * mounts that of a local disk.
 */
export const initramfsInit = `${startOfInitramfs}
fail() { say "FAIL $*"; exec sh -c 'while :; do sleep 3600; done'; }

while read -r module; do insmod "/modules/$module" || say "WARN module $module"; done </modules/order
start() {
  mount -t ext4 -o ro "$1" /root || fail mount
  for directory in dev proc sys; do mount --move /$directory /root/$directory; done
  exec switch_root /root /sbin/init
}

ibft=/sys/firmware/ibft
[ -d $ibft/target0 ] || { [ -b /dev/vda1 ] && start /dev/vda1; fail no-ibft; }
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
start "/dev/\${disk##*/}1"
`;

/** /sbin/init of the root file system, on a volume or on NFS: says where it runs from, then waits for the power button. */
export const rootInit = `#!/bin/sh
export PATH=/bin:/sbin
${speak}
# The initramfs of a distribution need not have loaded them.
while read -r module; do insmod "/modules/$module" 2>/dev/null; done </modules/order
mount -t tmpfs run /run
${listenToPowerButton}
IFS= read -r arguments </proc/cmdline
say "ARGUMENTS $arguments"
while read -r device point type options rest; do
  [ "$point" = / ] && [ "$type" != rootfs ] && root=$device kind=$type settings=$options
done </proc/mounts

report_nfs() {
  version=\${settings##*vers=}
  say "ROOT-OK root=$kind:$root version=\${version%%,*} uptime=$(cut -d' ' -f1 /proc/uptime)"
}

report_disk() {
  path=$(readlink -f /sys/class/block/\${root##*/})
  session=\${path##*/session}; session=session\${session%%/*}; own=/sys/class/iscsi_session/$session
  count=0; targets=
  for each in /sys/class/iscsi_session/session*; do
    [ -d $each ] || break
    name=$(cat $each/targetname); count=$((count + 1)); targets=\${targets:+$targets,}$name
    number=\${each##*/session}; connection=/sys/class/iscsi_connection/connection$number:0
    disks=; for disk in $each/device/target*/*/block/sd*; do [ -d $disk ] && disks=\${disks:+$disks,}\${disk##*/}; done
    say "SESSION target=$name portal=$(cat $connection/persistent_address):$(cat $connection/persistent_port)" \\
      "chap=$(cat $each/username) mutual=$(cat $each/username_in) disks=$disks"
  done
  say "ROOT-OK root=$root session=$(cat $own/targetname 2>/dev/null) sessions=$count targets=$targets" \\
    "initiator=$(cat $own/initiatorname 2>/dev/null) uptime=$(cut -d' ' -f1 /proc/uptime)"
}

case $kind in nfs*) report_nfs ;; *) report_disk ;; esac
${stayUp}`;

/** What busybox acpid runs for the power button (input event EV_KEY, KEY_POWER). */
export const powerButton = `#!/bin/sh
echo "${guestPrefix} POWER-BUTTON" >/dev/ttyS0
sync
exec /bin/poweroff -f
`;
