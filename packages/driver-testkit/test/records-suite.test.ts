import { invalidParameter, missingParameter, Secret, type PropertyDescriptions, type Task } from '@ironbark/core';
import { describe, expect, it } from 'vitest';
import { MemoryPower } from '../src/fakes.ts';
import { describePowerDriver, type PowerHarness, type RefusedRecords } from '../src/power.ts';
import { collectResults } from './collect-results.ts';
import { powerHarness } from './reference-harnesses.ts';

class AddressedPower extends MemoryPower {
  readonly properties: PropertyDescriptions = { bmc_address: { description: 'Address of the BMC.', required: true } };
  override async validate({ node }: Task): Promise<void> {
    await Promise.resolve();
    const address = node.driverInfo['bmc_address'];
    if (address === undefined) throw missingParameter(`driver_info/bmc_address of node ${node.uuid} is missing.`);
    if (address === '') throw invalidParameter(`driver_info/bmc_address of node ${node.uuid} is empty.`);
  }
}

const emptyAddress: RefusedRecords = {
  title: 'an empty address',
  field: 'bmc_address',
  change: ({ node, ...rest }) => ({ ...rest, node: { ...node, driverInfo: { bmc_address: '' } } }),
};

/** The records of every test get an address and a password. */
function addressedHarness(make: () => MemoryPower, refuses: readonly RefusedRecords[] = [emptyAddress]): PowerHarness {
  const harness = powerHarness(make);
  return {
    ...harness,
    refuses,
    create: (options) => {
      const records = options.records.map(({ node, ...rest }) => {
        const driverInfo = { bmc_address: '192.0.2.20', bmc_password: Secret.of('BmcPassword0') };
        return { ...rest, node: Object.assign({}, node, { driverInfo }) };
      });
      return harness.create({ ...options, records });
    },
  };
}

async function outcome(make: () => MemoryPower, title: string, refuses?: readonly RefusedRecords[]) {
  const harness = addressedHarness(make, refuses);
  const results = await collectResults((runner) => describePowerDriver(runner, harness));
  return results.get(`records and self-description > ${title}`);
}

const missing = 'names every required property that is missing';

describe('the tests of records', () => {
  it('pass for a driver that names what is missing and what is wrong', async () => {
    expect(await outcome(() => new AddressedPower(), missing)).toBeNull();
    expect(await outcome(() => new AddressedPower(), 'refuses an empty address')).toBeNull();
  });

  it('find a driver that does without a required property', async () => {
    class NeedsNothing extends AddressedPower {
      override async validate(): Promise<void> {}
    }
    expect(String(await outcome(() => new NeedsNothing(), missing))).toContain('has to fail');
  });

  it('find an error that does not name the property', async () => {
    class SaysNothing extends AddressedPower {
      override async validate({ node }: Task): Promise<void> {
        if (!('bmc_address' in node.driverInfo)) throw missingParameter('Something is missing.');
        await Promise.resolve();
      }
    }
    expect(String(await outcome(() => new SaysNothing(), missing))).toContain('does not name bmc_address');
  });

  it('find an error that shows a secret', async () => {
    class SaysTooMuch extends AddressedPower {
      override async validate({ node }: Task): Promise<void> {
        const details = { node: JSON.stringify(node.driverInfo), password: 'BmcPassword0' };
        if (!('bmc_address' in node.driverInfo)) throw missingParameter('bmc_address is missing.', { details });
        await Promise.resolve();
      }
    }
    expect(String(await outcome(() => new SaysTooMuch(), missing))).toContain('shows a secret');
  });

  it('find an error of a class of its own', async () => {
    class ThrowsTypeError extends AddressedPower {
      override async validate({ node }: Task): Promise<void> {
        if (!('bmc_address' in node.driverInfo)) throw new TypeError('bmc_address is undefined');
        await Promise.resolve();
      }
    }
    expect(String(await outcome(() => new ThrowsTypeError(), missing))).toContain('no IronbarkError');
  });

  it('find a property without a description', async () => {
    class SaysNothingAboutIt extends AddressedPower {
      override readonly properties = { bmc_address: { description: '', required: true } };
    }
    const title = 'describes its capabilities and properties in words';
    expect(String(await outcome(() => new SaysNothingAboutIt(), title))).toContain('bmc_address has no description');
  });
});
