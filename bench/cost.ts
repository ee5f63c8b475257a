/** What something took: by the clock on the wall, and of processors' time in the process that did it. */
export interface Took {
  ms: number;
  cpuMs: number;
}

export const cpuMs = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1_000;
