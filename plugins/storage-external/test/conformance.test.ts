import { describeStorageDriver, malformedIscsiTargets } from '@ironbark/driver-testkit/storage';
import { describe, it } from 'vitest';
import { ExternalStorage } from '../src/index.ts';

describeStorageDriver(
  { describe, it },
  {
    attachments: 'static',
    refuses: malformedIscsiTargets,
    create: ({ records }) => ({
      driver: new ExternalStorage(),
      records,
      observe: () => [],
      restart: () => new ExternalStorage(),
    }),
  },
);
