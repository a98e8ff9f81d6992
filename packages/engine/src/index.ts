export * from './engine.ts';
export * from './events.ts';
export * from './plan.ts';
export * from './state-machine.ts';
export * from './create-engine.ts';
export type { EngineOptions } from './context.ts';
export { builtinDrivers } from './builtin/drivers.ts';
export type { ValidationResults } from './validation.ts';
