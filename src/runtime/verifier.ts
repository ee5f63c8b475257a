import { assert } from '../assert.js';
import { Checksum } from '../zset/checksum.js';
import type { Clock } from './clock.js';
import { encodeToken } from './frontier.js';
import { shownBy } from './generation-tasks.js';
import { inState } from './in-state.js';
import type { Limits } from './limits.js';
import type { Generation } from './ports/registry.js';
import type { SourceLog } from './ports/source-log.js';
import type { TaskStore } from './ports/task-store.js';
import type { StoredRow, ViewStore } from './ports/view-store.js';
import type { Workers } from './ports/workers.js';
import { comparePositions, laterOf, type Position, timeOf } from './position.js';
import { atSameTime, type Progress, progressOf } from './progress.js';
import { readBucket } from './read-bucket.js';
import type { Rebuilder } from './rebuilder.js';
import type { VerifyStatus } from './rebuilds.js';
import type { RegistryWatch } from './registry-watch.js';
import { type TaskId, taskName } from './task-id.js';

/** Differing rows that are reported. */
const DIFFERENCES_MAX = 100;
/** A replay this near to the live view is near enough to hold both for the comparison. */
const NEAR_ENTRIES = 5_000;
/** How far ahead of now both are told to stop, so that word of it comes before the place does. */
const HOLD_AHEAD_MS = 1_000;

export type VerifyProgress = Omit<VerifyStatus, 'id' | 'view' | 'startedAt' | 'finishedAt'>;

/**
 * Proves that a replay equals the live view.
 *
 * The view is replayed into a generation that is never served. When it is near, both are told to stop at one place a
 * moment ahead. Where all logs have passed it and both contain the same prefix of each, the checksums kept by the commits
 * are compared, and those of the rows as they are stored; if they differ, row by row. Then the live one goes on. What was read
 * is a verdict only if both were held from before it to after it: two workers may be given one job, and the first to end lets
 * go of both. Of a view over a view the rows of the upstream
 * are replayed; verify the upstream as well.
 */
export class Verifier {
  constructor(
    readonly options: {
      rebuilder: Rebuilder;
      registry: RegistryWatch;
      tasks: TaskStore;
      views: ViewStore;
      log: SourceLog;
      workers: Workers;
      clock: Clock;
      limits: Limits;
    },
  ) {}

  /** `cancelled` without a reason: it came to no verdict, since somebody else put the replay away or let the live view go on. */
  async run(
    id: string,
    view: string,
    report: (progress: VerifyProgress) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<VerifyProgress> {
    const { rebuilder, registry, tasks, log, clock, limits } = this.options;
    let heldAt: number | null = null;
    let progress: VerifyProgress = {
      state: 'replaying',
      reason: null,
      entriesDone: 0,
      entriesTotal: 0,
      frontier: null,
      live: null,
      replayed: null,
      differences: [],
    };
    try {
      await rebuilder.begin(id, [view], 'shadow', true);
      for (;;) {
        if (signal?.aborted) return { ...progress, state: 'cancelled' };
        await registry.refresh();
        const shadow = rebuilder.generationsOf(id)[0];
        const live = registry.serving(view);
        if (!shadow || shadow.state === 'dropping' || !live) return { ...progress, state: 'cancelled' };
        const [replayed, served] = [await progressOf(shadow, tasks, log), await progressOf(live, tasks, log)];
        progress = { ...progress, entriesDone: replayed.entriesDone, entriesTotal: replayed.entriesTotal };
        const parked = [...replayed.statuses, ...served.statuses].find((status) => status.parked)?.parked;
        if (parked) return { ...progress, state: 'failed', reason: parked.message };
        heldAt ??= shadow.stopAt && clock.monotonicMs();
        if (heldAt !== null && clock.monotonicMs() - heldAt > limits.holdMsMax)
          return {
            ...progress,
            state: 'failed',
            reason: apart(replayed, served, shadow.stopAt ?? {}, limits.holdMsMax),
          };
        const started =
          replayed.statuses.every(({ record }) => record !== null) || replayed.entriesTotal === 0;
        if (shadow.stopAt === null) {
          if (started && replayed.lagEntries <= NEAR_ENTRIES) await this.#hold(id, live);
        } else if (started && (await this.#standStill(replayed, served, shadow.stopAt))) {
          await report({ ...progress, state: 'comparing' });
          return (
            (await this.#verdict(progress, live, shadow, served.frontier)) ?? {
              ...progress,
              state: 'cancelled',
            }
          );
        }
        await report(progress);
        await clock.sleep(limits.registryRefreshMs / 4, signal);
      }
    } finally {
      await this.letGo(id, view);
    }
  }

  /** Both, and everything the live one reads, are to stop at one place a moment ahead. */
  async #hold(id: string, live: Generation): Promise<void> {
    const { registry, workers, log } = this.options;
    const { now: clock } = await workers.live();
    // Ids may be ahead of the clock: a place before the end of a log is no place ahead.
    const ends = await log.ends(live.sources);
    const stopAt = Object.fromEntries(
      ends.map(({ redisKey, last }) => [redisKey, laterOf(`${clock + HOLD_AHEAD_MS}-0`, last)]),
    );
    await registry.change((now) => ({
      puts: now.generations
        .filter((generation) => generation.rebuild === id || isUpstream(now.generations, live, generation))
        .map((generation) => ({ ...generation, stopAt })),
    }));
  }

  /** Whether both contain the same prefix of every log, and nothing more is to come before the place where they stop. */
  async #standStill(
    replayed: Progress,
    served: Progress,
    stopAt: Readonly<Record<string, Position>>,
  ): Promise<boolean> {
    const { workers, log } = this.options;
    const { now } = await workers.live();
    if (!atSameTime(replayed, served)) return false;
    for (const { redisKey, last } of await log.ends(Object.keys(stopAt))) {
      const stop = stopAt[redisKey]!;
      if (timeOf(stop) >= now && comparePositions(last, stop) < 0) return false;
      const position = served.frontier[redisKey]!;
      if (replayed.frontier[redisKey] !== position) return false;
      if ((await log.range(redisKey, position, stop, 2)).some(([id]) => comparePositions(id, position) > 0))
        return false;
    }
    return true;
  }

  /** Ends a verification, wherever it stands: its replay is dropped, and the live view goes on. */
  async letGo(id: string, view: string): Promise<void> {
    const at = this.options.clock.now();
    await this.options.registry.change((now) => {
      const live = now.generations.filter(
        (generation) => generation.view === view && generation.state !== 'shadow',
      );
      return {
        puts: now.generations.flatMap((generation): Generation[] => {
          if (generation.rebuild === id && generation.state === 'shadow')
            return [{ ...inState(generation, 'dropping', at), stopAt: null }];
          if (generation.stopAt !== null && live.some((of) => isUpstream(now.generations, of, generation)))
            return [{ ...generation, stopAt: null }];
          return [];
        }),
      };
    });
  }

  /** Lets everything go on that is told to stop while no verification is under way. */
  async letGoOfUnheld(): Promise<void> {
    const isHeld = (generation: Generation): boolean =>
      generation.stopAt !== null && generation.state !== 'shadow';
    const { registry } = this.options;
    if (!registry.snapshot.generations.some(isHeld)) return;
    await registry.change(({ generations }) =>
      generations.some(({ state }) => state === 'shadow')
        ? null
        : { puts: generations.filter(isHeld).map((generation) => ({ ...generation, stopAt: null })) },
    );
  }

  /** Null if one of both was let go while they were compared: what was read is then of no one place. */
  async #verdict(
    progress: VerifyProgress,
    live: Generation,
    shadow: Generation,
    frontier: Readonly<Record<string, Position>>,
  ): Promise<VerifyProgress | null> {
    try {
      const verdict = await this.#compare(progress, live, shadow, frontier);
      return (await this.#areHeld(live, shadow)) ? verdict : null;
    } catch (thrown) {
      if (await this.#areHeld(live, shadow)) throw thrown;
      return null;
    }
  }

  /**
   * Whether both stop where the replay was seen to stop. Before anything of a generation is deleted or goes on, the registry says
   * so, and what it says is not taken back; so if they do now, they did all the time since.
   */
  async #areHeld(live: Generation, shadow: Generation): Promise<boolean> {
    const { registry } = this.options;
    await registry.refresh();
    return [live, shadow].every(({ view, number, state }) => {
      const now = registry.generation(view, number);
      return now?.state === state && JSON.stringify(now.stopAt) === JSON.stringify(shadow.stopAt);
    });
  }

  async #compare(
    progress: VerifyProgress,
    live: Generation,
    shadow: Generation,
    frontier: Readonly<Record<string, Position>>,
  ): Promise<VerifyProgress> {
    const [left, right] = [await this.#kept(live), await this.#kept(shadow)];
    const stored = [await this.#stored(live), await this.#stored(shadow)];
    const equal = left.checksum === right.checksum && left.rows === right.rows && stored[0] === stored[1];
    return {
      ...progress,
      frontier: encodeToken(frontier),
      live: { generation: live.number, ...left },
      replayed: { generation: shadow.number, ...right },
      state: equal ? 'equal' : 'different',
      differences: equal ? [] : await this.#differences(live, shadow),
    };
  }

  /** What the commits have kept count of. */
  async #kept(generation: Generation): Promise<{ rows: number; checksum: string }> {
    const { tasks } = this.options;
    const sum = new Checksum();
    let rows = 0;
    for (const { record } of await tasks.status(shownBy(generation))) {
      if (!record) continue;
      sum.merge(Checksum.parse(record.checksum));
      rows += record.rows;
    }
    return { rows, checksum: sum.toString() };
  }

  /** The same from the rows as they lie there: what was changed behind our back shows here. */
  async #stored(generation: Generation): Promise<string> {
    const sum = new Checksum();
    for (const task of shownBy(generation))
      for (let bucket = 0; bucket < generation.buckets; bucket++)
        for (const { key, text } of await this.#bucket(task, bucket, generation.buckets))
          sum.add(`${key}\n${text}`, 1);
    return sum.toString();
  }

  async #differences(live: Generation, shadow: Generation): Promise<VerifyStatus['differences']> {
    const differences: { key: string; live: unknown; replayed: unknown }[] = [];
    for (const task of shownBy(live)) {
      for (let bucket = 0; bucket < live.buckets; bucket++) {
        const served = textsOf(await this.#bucket(task, bucket, live.buckets));
        const replayed = textsOf(
          await this.#bucket({ ...task, generation: shadow.number }, bucket, live.buckets),
        );
        for (const key of new Set([...served.keys(), ...replayed.keys()])) {
          if (served.get(key) === replayed.get(key)) continue;
          differences.push({ key, live: parsed(served.get(key)), replayed: parsed(replayed.get(key)) });
          if (differences.length >= DIFFERENCES_MAX) return differences;
        }
      }
    }
    return differences;
  }

  async #bucket(task: TaskId, bucket: number, buckets: number): Promise<StoredRow[]> {
    const read = await readBucket(this.options.views, { task, bucket, buckets });
    assert(read !== null, `${taskName(task)} went on while it was compared.`);
    return read.rows;
  }
}

const textsOf = (rows: readonly StoredRow[]): Map<string, string> =>
  new Map(rows.map(({ key, text }) => [key, text]));

/** Why the two could not be compared, and where each stood. */
function apart(
  replayed: Progress,
  served: Progress,
  stopAt: Readonly<Record<string, Position>>,
  heldMs: number,
): string {
  const places = Object.entries(stopAt).map(
    ([redisKey, stop]) =>
      `  ${redisKey}  live ${served.frontier[redisKey]}, replay ${replayed.frontier[redisKey]}, to stop at ${stop}`,
  );
  return [
    `The replay and the live view did not come to stand at one place within ${heldMs} ms (holdMsMax); the live view goes on.`,
    ...places,
    'Either nobody maintains the view now, or ids of its streams are ahead of the clock of Redis, or another verification came between. Verify again when it is live.',
  ].join('\n');
}

const parsed = (text: string | undefined): unknown => (text === undefined ? null : JSON.parse(text));

/** Whether `live` is `generation`, or reads it, through however many views. */
function isUpstream(all: readonly Generation[], live: Generation, generation: Generation): boolean {
  if (live.view === generation.view && live.number === generation.number) return true;
  return Object.entries(live.upstreams).some(([view, number]) => {
    const upstream = all.find((of) => of.view === view && of.number === number);
    return upstream !== undefined && isUpstream(all, upstream, generation);
  });
}
