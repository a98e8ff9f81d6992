export * from './block-storage/block-storage.ts';
