export * from './store.ts';
export * from './operation.ts';
export * from './sqlite/open-store.ts';
