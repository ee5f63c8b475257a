/**
 * A process in which one thing is measured: it is told over IPC what to do, one request after the other, and ends when
 * the benchmark lets go of it.
 */
import { awaitedLoop } from './awaited-loop.js';
import { cpuMs } from './cost.js';
import { dbIvm } from './db-ivm.js';
import { drain } from './drain.js';
import { type Ends, Maintainer, type MaintainerOptions, type Until } from './maintainer.js';

let maintainer: Maintainer | null = null;

/** All that a subject can be asked. */
const procedures = {
  drain,
  awaitedLoop,
  dbIvm,
  start: async (options: MaintainerOptions): Promise<void> => {
    maintainer = await Maintainer.start(options);
  },
  maintained: (until: Omit<Until, 'view'>) => maintainer!.maintained(until),
  maintainedAll: (until: { ends: Ends; withinMs: number }) => maintainer!.maintainedAll(until),
  reads: async (stream: string) => maintainer!.reads(stream),
  pause: (paused: boolean) => maintainer!.pause(paused),
  claimToCommitMs: (options: { view: string; withinMs: number }) => maintainer!.claimToCommitMs(options),
  rebuild: (until: Until) => maintainer!.rebuild(until),
  replaced: (view: string) => maintainer!.replaced(view),
  /** Processor time of the process since it began. */
  cpuMs: async (_: null) => cpuMs(process.cpuUsage()),
  counters: async (_: null) => maintainer!.counters(),
  /** What is left when the garbage is gone. */
  memory: async (_: null): Promise<{ rss: number; heapUsed: number }> => {
    for (let times = 0; times < 3; times++) {
      globalThis.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const { rss, heapUsed } = process.memoryUsage();
    return { rss, heapUsed };
  },
  stop: async (_: null): Promise<void> => {
    await maintainer?.stop();
    maintainer = null;
  },
} as const;

export type Procedures = typeof procedures;

export interface Request {
  id: number;
  procedure: keyof Procedures;
  argument: unknown;
}
export type Reply = { id: number; result: unknown } | { id: number; error: string };

process.on('message', ({ id, procedure, argument }: Request) => {
  Promise.resolve()
    .then(() => (procedures[procedure] as (argument: unknown) => Promise<unknown>)(argument))
    .then(
      (result): Reply => ({ id, result }),
      (thrown): Reply => ({
        id,
        error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
      }),
    )
    .then((reply) => process.send!(reply));
});
// The benchmark is gone, or has let go: there is nobody to measure for.
process.on('disconnect', () => process.exit());
