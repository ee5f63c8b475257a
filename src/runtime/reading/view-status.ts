import { Checksum } from '../../zset/checksum.js';
import { partitionKeys } from '../placement.js';
import { contained } from '../contained.js';
import { allTasks, lastStage } from '../generation-tasks.js';
import { firstParked } from '../given-up.js';
import { withUpstreams } from '../maintained.js';
import type { Generation } from '../ports/registry.js';
import type { LogEnd, SourceLog } from '../ports/source-log.js';
import type { TaskRecord, TaskStatus, TaskStore } from '../ports/task-store.js';
import type { Workers } from '../ports/workers.js';
import { taskName } from '../task-id.js';
import { sumOfTallies, talliesOf, type TypeCounts } from '../tallies.js';
import type { ServedViews } from './served-views.js';
import { servedView } from './served-view.js';
import { descriptionOf, type ViewDescription } from './view-description.js';
import { lagOf } from './view-lag.js';
import { neverAppended, type SourceTimes, timesOf } from './view-times.js';
import { commitsOf, versionText } from './view-version.js';

/**
 * building   no generation serves yet
 * live       maintained
 * paused     somebody paused it
 * parked     a task of it does not go on; the reason is in `partitions`
 * waiting    Redis takes no commits of it now; why is in `partitions`, and it goes on by itself. Or a view that it reads is parked,
 *            which is in `waitingFor`: it goes on when that does
 * frozen     served as it was: no live worker has its code
 */
export type ViewState = 'building' | 'live' | 'paused' | 'parked' | 'waiting' | 'frozen';

export interface PartitionStatus {
  /** Where the view's rows move between partitions: of which of its stages, from 0; the last keeps the rows. */
  stage?: number;
  partition: number;
  owner: string | null;
  epoch: number;
  tick: number;
  rows: number;
  parked: { code: string; message: string; at: string } | null;
  /** Why its commits are being refused: Redis is full, or replicas do not follow, or it is slow to answer. */
  waiting: string | null;
}

export interface GenerationStatus {
  generation: number;
  state: Generation['state'];
  paused: boolean;
  rows: number;
  errors: number;
  /** Why a task of it does not go on. */
  parked: string | null;
  createdAt: string;
}

export interface ViewStatus {
  name: string;
  state: ViewState;
  generation: number | null;
  /** Views that it reads, directly or through others, and that are parked. */
  waitingFor: string[];
  /**
   * Streams that never had an entry, and whose time is waited for, `since` the generation was made: rows of an outer join that
   * have no match are not shown, nor what is final only then. ISO 8601.
   */
  waitingForFirst: { source: string; since: string }[];
  /** Of a parked view over logs that are trimmed: since when, and until when what it has not read is kept for it; ISO 8601. Null for any other. */
  holdsBackTrimming: { since: string; until: string; over: boolean } | null;
  /** The newer generation that served before a rollback. */
  rolledBackFrom: number | null;
  fingerprint: string | null;
  /** Entries, and milliseconds of entry time, between the ends of its streams and what it contains; null while unknown. */
  lag: { entries: number | null; ms: number | null };
  rows: number;
  /** The sum over all partitions, 16 hex digits. */
  checksum: string;
  errors: number;
  /** Rows that came too late and were left out, since the view was built. */
  late: number;
  conflicts: number;
  /** Groups of folded events that stopped at one, and the events that came after it. */
  parkedKeys: number;
  waitingEvents: number;
  /** By stream, events that were skipped because their types are not known. */
  skipped: Readonly<Record<string, TypeCounts>>;
  /** Of a view that acts on time: how far it is, by source. */
  time: Record<string, SourceTimes>;
  /** Generation and tick per partition. */
  version: string | null;
  frontier: Readonly<Record<string, string>>;
  partitions: PartitionStatus[];
  generations: GenerationStatus[];
  description: ViewDescription | null;
}

/** What the live workers say of themselves. */
interface Said {
  /** The views whose code some of them has. */
  readonly fingerprints: ReadonlySet<string>;
  /** Tasks whose commits are refused, and why. */
  readonly waiting: ReadonlyMap<string, string>;
  /** Why Redis takes no writes at all. */
  readonly refused: string | null;
  /** Redis's clock. */
  readonly now: number;
}

/** Tells how views are doing. */
export class ViewStatuses {
  constructor(
    readonly views: ServedViews,
    readonly tasks: TaskStore,
    readonly log: SourceLog,
    readonly workers: Workers,
    /** How long a view that is parked holds back trimming. */
    readonly parkedHoldsBackMs: number,
  ) {}

  async all(): Promise<ViewStatus[]> {
    return this.#of(this.views.names());
  }

  /** @throws StillwaterError `unknown-view` */
  async one(name: string): Promise<ViewStatus> {
    if (!this.views.names().includes(name)) {
      await this.views.watch.refresh();
      if (!this.views.names().includes(name)) throw this.views.unknown(name);
    }
    return (await this.#of([name]))[0]!;
  }

  async #of(names: readonly string[]): Promise<ViewStatus[]> {
    const shown = names.map((name) => ({ name, generation: this.#shown(name) }));
    const asked = names.flatMap((name) => this.views.generations(name));
    // What they read may be parked.
    const generations = [...withUpstreams(asked, this.views.watch.snapshot.generations)];
    const tasks = generations.map((generation) => allTasks(generation));
    const [statuses, ends, { live, now, refused = null }] = await Promise.all([
      this.tasks.status(tasks.flat()),
      this.log.ends([...new Set(generations.flatMap(({ sources }) => sources))]),
      this.workers.live(),
    ]);
    const endOf = new Map(ends.map((end) => [end.redisKey, end]));
    const statusOf = new Map<Generation, TaskStatus[]>();
    let at = 0;
    generations.forEach((generation, index) => {
      statusOf.set(generation, statuses.slice(at, at + tasks[index]!.length));
      at += tasks[index]!.length;
    });
    const workers = {
      fingerprints: new Set(live.flatMap((worker) => worker.fingerprints)),
      waiting: new Map(live.flatMap((worker) => Object.entries(worker.waiting ?? {}))),
      refused,
      now,
    };
    return shown.map(({ name, generation }) => this.#status(name, generation, statusOf, endOf, workers));
  }

  /** What serves, or else what is on its way. */
  #shown(name: string): Generation | null {
    const generations = this.views.generations(name);
    return (
      generations.find(({ state }) => state === 'serving') ??
      generations
        .filter(({ state }) => state === 'building')
        .sort((left, right) => right.number - left.number)[0] ??
      null
    );
  }

  #status(
    name: string,
    generation: Generation | null,
    statusOf: ReadonlyMap<Generation, TaskStatus[]>,
    ends: ReadonlyMap<string, LogEnd>,
    said: Said,
  ): ViewStatus {
    const { catalog } = this.views;
    const statuses = (generation && statusOf.get(generation)) ?? [];
    const shown = statuses
      .filter(({ task }) => generation && task.stage === lastStage(generation))
      .map(({ record }) => record);
    const frontier = generation ? contained(generation, shown) : {};
    const waitingFor = generation ? parkedUpstreams(generation, statusOf) : [];
    const time = timesOf(
      statuses.map(({ record }) => record),
      catalog,
    );
    return {
      name,
      state: stateOf(generation, statuses, { ...said, waitingFor }),
      generation: generation?.number ?? null,
      waitingFor,
      waitingForFirst: neverAppended(time, ends).map((source) => ({
        source,
        since: new Date(generation!.createdAt).toISOString(),
      })),
      holdsBackTrimming: generation && this.#holdsBack(generation, statuses, said.now),
      rolledBackFrom: generation?.rolledBackFrom ?? null,
      fingerprint: generation?.fingerprint ?? null,
      lag: generation ? lagOf(generation, statuses, frontier, ends, catalog) : { entries: null, ms: null },
      ...countsOf(statuses),
      time,
      version: generation ? versionText(servedView(generation), commitsOf(shown)) : null,
      frontier,
      partitions: statuses.map((status) => ({
        ...(generation && lastStage(generation) > 0 && { stage: status.task.stage }),
        ...partitionStatus(status, said),
      })),
      generations: this.views
        .generations(name)
        .map((each) => generationStatus(each, statusOf.get(each) ?? [])),
      description: generation ? descriptionOf(generation) : null,
    };
  }

  #holdsBack(
    { sources }: Generation,
    statuses: readonly TaskStatus[],
    now: number,
  ): ViewStatus['holdsBackTrimming'] {
    const since = firstParked(statuses);
    const { streams, tables } = this.views.catalog;
    const isTrimmed = [...streams.values(), ...tables.values()].some(
      (source) => source.retain && partitionKeys(source).some((redisKey) => sources.includes(redisKey)),
    );
    if (since === null || !isTrimmed) return null;
    const until = since + this.parkedHoldsBackMs;
    return {
      since: new Date(since).toISOString(),
      until: new Date(until).toISOString(),
      over: now >= until,
    };
  }
}

/** The views that a generation reads, directly or through others, and that are parked. */
const parkedUpstreams = (generation: Generation, statusOf: ReadonlyMap<Generation, TaskStatus[]>): string[] =>
  [...withUpstreams([generation], [...statusOf.keys()])]
    .filter((each) => each !== generation && isParked(each, statusOf))
    .map(({ view }) => view);

const isParked = (generation: Generation, statusOf: ReadonlyMap<Generation, TaskStatus[]>): boolean =>
  statusOf.get(generation)!.some(({ parked }) => parked);

/** What the records of some tasks come to together. */
const sum = (statuses: readonly TaskStatus[], read: (record: TaskRecord) => number): number =>
  statuses.reduce((total, { record }) => total + (record ? read(record) : 0), 0);

/** What all of them have counted. */
function countsOf(statuses: readonly TaskStatus[]) {
  const checksum = new Checksum();
  for (const { record } of statuses) if (record) checksum.merge(Checksum.parse(record.checksum));
  const tallies = sumOfTallies(statuses.map(({ record }) => talliesOf(record)));
  const skipped = Object.entries(tallies.skipped).map(([input, counts]) => [
    input.slice(input.indexOf(':') + 1),
    counts,
  ]);
  return {
    rows: sum(statuses, ({ rows }) => rows),
    checksum: checksum.toString(),
    errors: sum(statuses, ({ errors }) => errors),
    late: sum(statuses, ({ late }) => late),
    conflicts: sum(statuses, ({ conflicts }) => conflicts),
    parkedKeys: tallies.parked.keys,
    waitingEvents: tallies.parked.waiting,
    skipped: Object.fromEntries(skipped) as ViewStatus['skipped'],
  };
}

const partitionStatus = (
  { task, owner, epoch, record, parked }: TaskStatus,
  { waiting, refused }: Said,
): Omit<ViewStatus['partitions'][number], 'stage'> => ({
  partition: task.partition,
  owner,
  epoch,
  tick: record?.tick ?? 0,
  rows: record?.rows ?? 0,
  parked: parked && { code: parked.code, message: parked.message, at: new Date(parked.at).toISOString() },
  waiting: waiting.get(taskName(task)) ?? refused,
});

const generationStatus = (
  { number, state, paused, createdAt }: Generation,
  statuses: readonly TaskStatus[],
): GenerationStatus => ({
  generation: number,
  state,
  paused,
  rows: sum(statuses, ({ rows }) => rows),
  errors: sum(statuses, ({ errors }) => errors),
  parked: statuses.find(({ parked }) => parked)?.parked?.message ?? null,
  createdAt: new Date(createdAt).toISOString(),
});

function stateOf(
  generation: Generation | null,
  statuses: readonly TaskStatus[],
  {
    fingerprints,
    waiting,
    refused,
    waitingFor,
  }: Pick<Said, 'fingerprints' | 'waiting' | 'refused'> & Pick<ViewStatus, 'waitingFor'>,
): ViewState {
  if (generation === null) return 'building';
  if (statuses.some(({ parked }) => parked)) return 'parked';
  if (generation.paused) return 'paused';
  if (generation.state !== 'serving') return 'building';
  if (!fingerprints.has(generation.fingerprint)) return 'frozen';
  if (waitingFor.length > 0) return 'waiting';
  return refused !== null || statuses.some(({ task }) => waiting.has(taskName(task))) ? 'waiting' : 'live';
}
