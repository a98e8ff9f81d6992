import { invalidParameter } from '@ironbark/core';
import { isServiceError } from './service-error.ts';

/** An id as part of a path. @throws INVALID_PARAMETER for one that would lead to another resource. */
export function segment(id: string, service: string): string {
  if (/^\.{0,2}$/.test(id)) throw invalidParameter(`${JSON.stringify(id)} is no id of a resource in ${service}.`);
  return encodeURIComponent(id);
}

/** @returns undefined where the service answers 404. */
export async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isServiceError(error, 'OPENSTACK_NOT_FOUND')) return undefined;
    throw error;
  }
}
