import type { Chassis } from '@ironbark/core';
import type { ChassisChanges } from '@ironbark/engine';
import { freeObject, nullableText, uuid } from '../schemas/fields.ts';
import { createSchema, type InputFields } from './input-field.ts';

export const chassisInputs: InputFields<Chassis, ChassisChanges> = {
  description: {
    schema: nullableText,
    read: (chassis) => chassis.description,
    write: (value) => ({ description: value as string | null }),
  },
  extra: {
    schema: freeObject,
    read: (chassis) => chassis.extra,
    write: (value) => ({ extra: (value ?? {}) as Chassis['extra'] }),
  },
};

export const chassisCreateSchema = createSchema(chassisInputs, [], { uuid });
export const chassisPatchFields: readonly string[] = Object.keys(chassisInputs);
