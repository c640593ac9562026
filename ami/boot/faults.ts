export const FAULTS = { x: 1 } as const;
export type FaultName = keyof typeof FAULTS;
