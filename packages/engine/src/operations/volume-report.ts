import type { Info, InfoValue, OnVolume, VolumeAttachment, VolumeOutcome, VolumeTarget } from '@ironbark/core';

/** How an attachment or a release went as a whole: what is said of a volume of which the driver said nothing. */
export type OverallOutcome = Omit<VolumeOutcome, 'volumeId'>;

/** Collects what becomes of each volume, for the notifications. */
export interface VolumeReport {
  readonly onVolume: OnVolume;
  /** @param overall undefined while the work has not ended. */
  facts(overall?: OverallOutcome): Info;
}

/** @param attachments may be of volumes whose targets are gone. */
export function createVolumeReport(
  targets: readonly VolumeTarget[],
  attachments: readonly VolumeAttachment[],
): VolumeReport {
  const outcomes = new Map<string, VolumeOutcome>();
  const known = [
    ...targets.map(({ uuid, volumeId, bootIndex }) => ({ uuid, volumeId, bootIndex })),
    ...attachments
      .filter(({ targetUuid }) => !targets.some(({ uuid }) => uuid === targetUuid))
      .map(({ targetUuid, volumeId, bootIndex }) => ({ uuid: targetUuid, volumeId, bootIndex })),
  ];
  return {
    onVolume: (outcome) => void outcomes.set(outcome.volumeId, outcome),
    facts(overall) {
      const unknown = [...outcomes.keys()]
        .filter((volumeId) => !known.some((volume) => volume.volumeId === volumeId))
        .map((volumeId) => ({ uuid: null, volumeId, bootIndex: null }));
      const volumes = [...known, ...unknown].map(({ uuid, volumeId, bootIndex }): InfoValue => {
        const { result = null, durationMs = null, error = null } = outcomes.get(volumeId) ?? overall ?? {};
        return { uuid, volume_id: volumeId, boot_index: bootIndex, result, duration_ms: durationMs, error };
      });
      return overall === undefined
        ? { volumes }
        : {
            volumes,
            duration_ms: overall.durationMs,
            ...(overall.error === null ? {} : { error: overall.error }),
          };
    },
  };
}
