// A process with running services, for a test that kills it. Argument: where the services make their folder.
import { startOpenStack } from '../src/openstack/index.ts';

const { keystone, cinder } = await startOpenStack({ directory: process.argv[2] ?? '' });
process.stdout.write(`${JSON.stringify([keystone.pid, cinder.pid])}\n`);
