export { loadConfig, parseConfig, type Config } from './config/load.ts';
export { composeConductor, type ComposedConductor, type ComposeOptions } from './compose.ts';
export { startConductor, type RunningConductor } from './conductor.ts';
export { createLog } from './log.ts';
