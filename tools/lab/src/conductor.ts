export * from './conductor/conductor-process.ts';
export * from './conductor/machine-site.ts';
