import { startOpenStack, type OpenStackDetails } from '@ironbark/lab/openstack';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    readonly openstack: OpenStackDetails;
  }
}

/** Starts the services for all test files; `new OpenStackAccess(inject('openstack'))` is what a test sees of them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const openstack = await startOpenStack({ image: true });
  project.provide('openstack', openstack.details);
  return () => openstack.stop();
}
