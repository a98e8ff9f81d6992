export * from './power.ts';
export * from './management.ts';
export * from './storage.ts';
export * from './boot.ts';
export * from './fakes.ts';
export * from './check-package.ts';
