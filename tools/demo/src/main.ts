// Boots a virtual machine from an iSCSI volume: everything real but the metal. Run by `npm run demo`.
import { parseArgs } from 'node:util';
import { startMachineSite } from '@ironbark/lab/conductor';
import { BareMetalApi } from './bare-metal-api.ts';
import { followOperations } from './follow-operations.ts';
import { Narrator } from './narrator.ts';
import { bootMachine, enrollMachine, releaseMachine } from './scenes.ts';

const usage = `Usage: npm run demo -- [--yes]

Boots a virtual machine (qemu, iPXE) from an iSCSI volume behind CHAP, through the Bare Metal API.
  --yes   install missing Debian packages without asking
`;

async function run(signal: AbortSignal): Promise<void> {
  const narrator = new Narrator();
  narrator.say('Ironbark boots a machine from an iSCSI volume.\n');
  await using started = new AsyncDisposableStack();
  const site = await narrator.scene('start a conductor, a virtual BMC and an iSCSI target', async () => {
    const one = await startMachineSite({ signal });
    started.defer(() => one.stop());
    return one;
  });
  const api = new BareMetalApi(site.conductor.url, signal);
  site.machine.machine.serial.events.on('line', (line) => narrator.console(line));
  started.use(followOperations(site.conductor.url, narrator));
  const chap = { username: 'demo', password: 'demo-secret-1' };
  const volume = await narrator.scene('create a bootable volume behind CHAP', () =>
    site.lab.createVolume({ name: 'demo', chap }),
  );
  const stage = { api, narrator, site, signal };
  const nodeUuid = await enrollMachine(stage);
  await bootMachine(stage, nodeUuid, volume, chap);
  await releaseMachine(stage, nodeUuid);
  await narrator.scene('stop everything', () => started.disposeAsync());
  narrator.summary();
}

const { values } = parseArgs({ options: { yes: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
if (values.help === true) {
  console.log(usage);
} else {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => abort.abort(new Error(`interrupted by ${name}`)));
  try {
    await run(abort.signal);
  } catch (error) {
    const { aborted } = abort.signal;
    const why = error instanceof Error ? error.message : String(error);
    console.error(aborted ? '\nInterrupted: everything that the demo started has ended.' : `\nThe demo failed: ${why}`);
    process.exit(aborted ? 130 : 1); // whatever is still open ends with the process, its children too
  }
}
