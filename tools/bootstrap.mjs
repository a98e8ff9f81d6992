// Runs a workspace task under the pinned Node and pnpm; any Node from 20.11 on can start it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

const [task, ...given] = process.argv.slice(2);
const fromSource = 'node --conditions=@ironbark/source';
const installPackages = `${fromSource} tools/lab/src/install-packages.ts`;
const nx = 'nx run-many --output-style=static';
const tasks = {
  build: [`${nx} -t build`],
  demo: [`${installPackages} lab`, `${nx} -t build --output-style=dynamic`, `${fromSource} tools/demo/src/main.ts`],
  'lab:openstack': [`${installPackages} live lab`, `${fromSource} tools/lab/src/openstack/serve.ts`],
  test: [
    `${installPackages} lab live test`,
    `${nx} -t lint,typecheck,build,test`,
    `${nx} -t e2e`,
    `${nx} -t network`,
    `${nx} -t live`,
  ],
  'test:unit': [`${nx} -t test`],
  bench: [`${nx} -t build`, `${fromSource} test/bench/main.ts`],
};
process.on('SIGINT', () => {}); // the running step hears it as well, and ends in its own way
process.chdir(resolve(import.meta.dirname, '..'));
const nodeVersion = readFileSync('.node-version', 'utf8').trim();
const { packageManager } = JSON.parse(readFileSync('package.json', 'utf8'));
const runtime = `node-${process.platform}-${process.arch}`; // holds the binary itself, so needs no install script
const home = `.toolchain/node-${nodeVersion}_${packageManager.replace('@', '-')}`;
if (!existsSync(home)) {
  const staging = `${home}.${process.pid}`;
  mkdirSync(staging, { recursive: true });
  process.on('exit', () => rmSync(staging, { recursive: true, force: true }));
  const flags = '--no-save --no-audit --no-fund --ignore-scripts --loglevel=error';
  run(`npm install --prefix ${staging} ${flags} ${runtime}@${nodeVersion} ${packageManager}`);
  try {
    renameSync(staging, home);
  } catch {
    // a concurrent run was first
  }
}
// npm hands its whole configuration down as npm_config_*; none of it is meant for pnpm or node-gyp.
for (const name of Object.keys(process.env)) if (name === 'NODE' || /^npm_/i.test(name)) delete process.env[name];
process.env.npm_config_nodedir = resolve(home, 'node_modules', runtime); // headers of the pinned Node
process.env.PATH = [resolve(home, 'node_modules/.bin'), resolve('node_modules/.bin'), process.env.PATH].join(delimiter);
for (const step of ['pnpm install --frozen-lockfile --loglevel=warn', ...(tasks[task] ?? [])]) run(step);

function run(line) {
  const [command, ...args] = line.split(' ');
  // Options of the caller go to the programs of this repository, which know them.
  if (command === 'node') args.push(...given);
  const { status, signal, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status === 0) return;
  if (signal === null && error === undefined) process.exit(status ?? 1); // the command has said why
  console.error(`bootstrap: "${line}" ended by ${signal ?? error.message}`);
  process.exit(1);
}
