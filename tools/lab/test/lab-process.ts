// A process with a running lab, for tests that end it in several ways. Argument: the folder of the lab.
import { startLab } from '../src/index.ts';

const lab = await startLab({ directory: process.argv[2] ?? '' });
const { machine } = await lab.createMachine({ name: 'machine' });
await machine.powerOn();
process.once('SIGUSR2', () => process.exit(0));
process.stdout.write(`${JSON.stringify([machine.pid, lab.iscsi.pid])}\n`);
