import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';

const file = fileURLToPath(new URL('node-test-run.ts', import.meta.url));

async function runUnderNode(...args: readonly string[]) {
  const flags = ['--conditions=@ironbark/source', '--test-reporter=tap', file];
  const options = { reject: false, timeout: 30_000, env: { NODE_TEST_CONTEXT: undefined } };
  return await execa(process.execPath, [...flags, ...args], options);
}

describe("the suites under Node's own test runner", () => {
  it('pass for the drivers in memory', async () => {
    const { exitCode, stdout } = await runUnderNode();
    expect(stdout).toMatch(/^# pass 2\d\d$/m);
    expect(stdout).toMatch(/^# fail 0$/m);
    expect(exitCode).toBe(0);
  });

  it('report the test that a faulty driver fails', async () => {
    const { exitCode, stdout } = await runUnderNode('mutant');
    expect(stdout).toMatch(/^\s*not ok \d+ - releases every volume of the node$/m);
    expect(exitCode).toBe(1);
  });
});
