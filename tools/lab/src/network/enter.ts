// Runs a command in a network namespace of its own, which ends with it, and in a mount namespace where there can be one.
// Arguments: COMMAND [ARGUMENT …]
import { existsSync } from 'node:fs';
import { execa } from 'execa';
import { environment } from '../child-process.ts';
import { leftNamespaceVariable, namespaceOf } from './namespace.ts';

const tunDevice = '/dev/net/tun';

const command = process.argv.slice(2);
if (command.length === 0) fail('Usage: node tools/lab/src/network/enter.ts COMMAND [ARGUMENT …]');
const isRoot = process.getuid?.() === 0;
// Only root can make the device.
if (!isRoot && !existsSync(tunDevice)) {
  fail(`There is no ${tunDevice}: load the module tun, or make it with: mknod -m 666 ${tunDevice} c 10 200`);
}
const namespaces = await possibleNamespaces();
process.on('SIGINT', () => {}); // the command hears it as well, and ends in its own way
const preparation = prepare(namespaces.includes('--mount'));
const inside = ['setpriv', '--pdeathsig', 'KILL', 'sh', '-c', preparation, 'sh', ...command];
const { exitCode, signal } = await execa('unshare', [...namespaces, ...inside], {
  stdio: 'inherit',
  reject: false,
  env: environment({ [leftNamespaceVariable]: (await namespaceOf('self')) ?? '' }),
});
if (signal !== undefined) console.error(`${command[0]} was ended by ${signal}.`);
process.exitCode = exitCode ?? 1;

async function possibleNamespaces(): Promise<readonly string[]> {
  const user = isRoot ? [] : ['--user', '--map-root-user'];
  // In a chroot whose root is no mount point, mounts cannot be kept private.
  const choices = [[...user, '--net', '--mount'], ...(isRoot ? [['--net']] : [])];
  const problems: string[] = [];
  for (const choice of choices) {
    const { failed, stderr, shortMessage } = await execa('unshare', [...choice, 'true'], {
      reject: false,
      timeout: 10_000,
    });
    if (!failed) return choice;
    problems.push(stderr || (shortMessage ?? ''));
  }
  const needed = isRoot ? 'A container needs the capability SYS_ADMIN.' : 'Run it as root, or allow user namespaces.';
  return fail(`This user may not make network namespaces: ${problems.join('; ')}\n${needed}`);
}

/** /run is private, if it can be, because rpcbind and its clients meet at a socket there; a chroot may lack the device for taps. */
function prepare(hasPrivateMounts: boolean): string {
  const mountPrivately = (path: string): string =>
    hasPrivateMounts ? `mount -t tmpfs -o mode=755 tmpfs ${path}` : ':';
  return `
${mountPrivately('/run')} || exit
if [ ! -e ${tunDevice} ]; then
  { mkdir -p /dev/net && ${mountPrivately('/dev/net')} && mknod -m 666 ${tunDevice} c 10 200; } || {
    echo "There is no ${tunDevice}, and it cannot be made here." >&2
    exit 1
  }
fi
ip link set lo up || exit
exec "$@"`;
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
