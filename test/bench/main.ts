// Measures real conductor processes from outside: start-up, the API, and deployments on fake hardware. Prints a Markdown table.
import { cpus } from 'node:os';
import { measureApi } from './api-rows.ts';
import { measureDeployments } from './deployment-rows.ts';
import { measureReference } from './reference-rows.ts';
import { header } from './row.ts';
import { measureStartUp, withConductor } from './start-up.ts';
import { formatTable } from './table.ts';

const processors = cpus();
console.log(`${processors.length} cores (${processors[0]?.model ?? 'unknown'}), Node ${process.versions.node}.`);

const { answerMs, answerCpuMs, idleMiB } = await measureStartUp();
console.log(
  `Start to first answer: ${answerMs.toFixed(0)} ms (${answerCpuMs} ms CPU). Idle: ${idleMiB.toFixed(0)} MiB resident.\n`,
);

const rows = await withConductor(async ({ pid, url }, client) => [
  ...(await measureDeployments(pid, url, client)),
  ...(await measureApi(pid, client)),
  ...(await measureReference(client)),
]);
console.log(formatTable(header, rows));
