// Measures real conductor processes from outside and prints Markdown tables. Argument: nothing for start-up, the API and deployments on
// fake hardware; "cinder" for volumes of a real Cinder.
import { cpus } from 'node:os';
import { measureApi } from './api-rows.ts';
import { cinderTable } from './cinder-table.ts';
import { measureDeployments } from './deployment-rows.ts';
import { measureReference } from './reference-rows.ts';
import { header } from './row.ts';
import { measureStartUp, withConductor } from './start-up.ts';
import { formatTable } from './table.ts';

const subjects: Readonly<Record<string, () => Promise<string>>> = { conductor: conductorTable, cinder: cinderTable };

const [name = 'conductor'] = process.argv.slice(2);
const subject = subjects[name];
if (subject === undefined) throw new Error(`${name} is none of ${Object.keys(subjects).join(', ')}.`);
const processors = cpus();
console.log(`${processors.length} cores (${processors[0]?.model ?? 'unknown'}), Node ${process.versions.node}.`);
console.log(await subject());

async function conductorTable(): Promise<string> {
  const { answerMs, answerCpuMs, idleMiB } = await measureStartUp();
  console.log(
    `Start to first answer: ${answerMs.toFixed(0)} ms (${answerCpuMs} ms CPU). Idle: ${idleMiB.toFixed(0)} MiB resident.\n`,
  );
  const rows = await withConductor(async ({ pid, url }, client) => [
    ...(await measureDeployments(pid, url, client)),
    ...(await measureApi(pid, client)),
    ...(await measureReference(client)),
  ]);
  return formatTable(header, rows);
}
