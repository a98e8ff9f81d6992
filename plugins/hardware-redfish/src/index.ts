export { default } from './plugin.ts';
export { redfishConfig, type RedfishOptions } from './options.ts';
export { parseDriverInfo, redfishProperties, type RedfishDriverInfo } from './driver-info.ts';
export { RedfishSystems } from './redfish-systems.ts';
export { RedfishPower } from './redfish-power.ts';
export { RedfishManagement } from './redfish-management.ts';
