export * from './engine.ts';
export * from './events.ts';
export * from './plan.ts';
export * from './state-machine.ts';
