import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { temporaryDirectory } from './temporary-directory.ts';

const dracut = '/usr/lib/dracut/modules.d';
const debianScript = '/usr/share/initramfs-tools/scripts/local-top/iscsi';

/** Shells that ramdisks use; the first is what `/bin/sh` is on Debian. */
export const shells = [['dash'], ['bash', '--posix'], ['busybox', 'sh']] as const;
export type Shell = (typeof shells)[number];

/** Records its name and arguments, each after a NUL; a call ends with a line break. */
const recorder = `#!/bin/sh\n{ printf '%s' "\${0##*/}"; printf '\\0%s' "$@"; printf '\\n'; } >> "$CALLS"\n`;

/** Moves the absolute paths of a script into a directory of the test. */
function moved(script: string, directory: string): string {
  return script.replaceAll(
    /(?<![\w.}/])\/(?=(?:run|etc|dev|tmp|conf|scripts|proc|sbin|bin|lib|sys)\b)/g,
    `${directory}/`,
  );
}

async function sandbox(commandLine: string): Promise<string> {
  const directory = await temporaryDirectory();
  for (const name of [
    'run/initramfs',
    'etc/iscsi',
    'dev',
    'tmp',
    'conf',
    'scripts',
    'proc',
    'sbin',
    'bin',
    'lib/dracut/hooks/initqueue',
  ]) {
    await mkdir(join(directory, name), { recursive: true });
  }
  await writeFile(join(directory, 'proc/cmdline'), `${commandLine}\n`);
  return directory;
}

async function addRecorder(path: string): Promise<void> {
  await writeFile(path, recorder);
  await chmod(path, 0o700);
}

async function run(shell: Shell, script: string, directory: string): Promise<readonly (readonly string[])[]> {
  const [program, ...options] = shell;
  const path = `${join(directory, 'bin')}:/usr/bin:/bin`;
  const calls = join(directory, 'calls');
  await writeFile(calls, '');
  await writeFile(join(directory, 'script'), script);
  await execa(program, [...options, join(directory, 'script')], {
    cwd: directory,
    extendEnv: false,
    env: { PATH: path, CALLS: calls },
    timeout: 20_000,
    stdin: 'ignore',
  });
  const text = await readFile(calls, 'utf8');
  return text
    .split('\n')
    .slice(0, -1)
    .map((call) => call.split('\0'));
}

/**
 * Runs the iSCSI script of Debian's initramfs-tools on a kernel command line.
 * @returns the arguments of each call of `iscsistart`.
 */
export async function runInitramfsTools(shell: Shell, commandLine: string): Promise<readonly (readonly string[])[]> {
  const directory = await sandbox(commandLine);
  await writeFile(join(directory, 'conf/initramfs.conf'), '');
  await writeFile(join(directory, 'scripts/functions'), 'configure_networking() { :; }\n');
  await addRecorder(join(directory, 'sbin/iscsistart'));
  await symlink('../sbin/iscsistart', join(directory, 'bin/iscsistart'));
  const stubs = 'udevadm() { :; }\nmodprobe() { :; }\n';
  return run(shell, stubs + moved(await readFile(debianScript, 'utf8'), directory), directory);
}

/**
 * Runs the functions of dracut that read iSCSI parameters and log in.
 * @returns the arguments of each call of `iscsiadm` but those for discovery, whose portals are in `discovered`.
 */
export async function runDracut(shell: Shell, commandLine: string, targetNames: readonly string[]) {
  const directory = await sandbox(commandLine);
  for (const name of ['dracut-getarg', 'dracut-getargs']) {
    await symlink('/usr/lib/dracut/dracut-util', join(directory, 'bin', name));
  }
  const listed = targetNames.map((name) => `192.0.2.1:3260,1 ${name}`).join('\n');
  await writeFile(join(directory, 'targets'), `${listed}\n`);
  await addRecorder(join(directory, 'bin/record'));
  const sources = ['99base/dracut-dev-lib.sh', '99base/dracut-lib.sh', '40network/net-lib.sh'];
  const libraries = await Promise.all(sources.map(async (path) => readFile(join(dracut, path), 'utf8')));
  const login = await readFile(join(dracut, '95iscsi/iscsiroot.sh'), 'utf8');
  const handle = /^handle_netroot\(\) \{\n[^]*?^\}/m.exec(login)?.[0] ?? '';
  const loop = /^ {4}# loop over all netroot parameter\n[^]*?^ {4}fi/m.exec(login)?.[0] ?? '';
  const script = `
    PREFIX=x; DRACUT_SYSTEMD=1; netif=eth0; iroot=
    systemctl() { :; }; sleep() { :; }; all_ifaces_setup() { return 0; }
    iscsiadm() { record "$@"; [ "$2" != discovery ] || cat ${directory}/targets; }
    ${moved([...libraries, handle].join('\n'), directory)}
    debug_on() { :; }
    ${loop}
    record initiator "$(cat ${directory}/run/initiatorname.iscsi)"
    for file in ${directory}/tmp/*; do record started "\${file##*/}"; done
  `;
  const calls = await run(shell, script, directory);
  const named = (name: string) => calls.filter((call) => call[1] === name).map((call) => call.slice(2).join(' '));
  return {
    initiator: named('initiator'),
    started: named('started'),
    discovered: calls.filter((call) => call[2] === 'discovery').map((call) => call.at(-1)),
    nodes: calls.filter((call) => call[2] === 'node').map((call) => call.slice(3)),
  };
}
