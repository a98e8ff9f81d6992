export * from './store.ts';
export * from './operation.ts';
