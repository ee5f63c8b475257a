import { StillwaterError } from '../errors/stillwater-error.js';
import type { ViewDeclaration } from '../view/declarations.js';
import { sourcesOf } from '../view/plan-nodes.js';
import { ERRORS_MAX_DEFAULT } from '../view/view.js';
import type { Catalog } from './catalog.js';
import { hasCaughtUp } from './caught-up.js';
import type { Clock } from './clock.js';
import type { Code } from './code.js';
import { errorsIn, heldBack } from './held-back.js';
import { inState } from './in-state.js';
import { keptOf, rolledBackFrom } from './kept-generations.js';
import type { Limits } from './limits.js';
import { maintained } from './maintained.js';
import { newGenerations } from './new-generations.js';
import type { Generation } from './ports/registry.js';
import { archivedEntries, firstReadable, isIncomplete, type SourceLog } from './ports/source-log.js';
import type { TaskStore } from './ports/task-store.js';
import { hasLostItsLog, progressOf } from './progress.js';
import type { RegistryWatch } from './registry-watch.js';

export interface RebuildProgress {
  generations: { view: string; generation: number }[];
  state: 'replaying' | 'paused' | 'caughtUp' | 'held' | 'promoted' | 'cancelled' | 'failed';
  reason: string | null;
  entriesDone: number;
  entriesTotal: number;
  /** Rows and entries in error in what it builds. */
  errors: number;
}

/**
 * Rebuilds: new generations of a view and of all that reads it, made from the beginning of the log by the ordinary tasks,
 * and promoted together in one write when all of them have passed what is served.
 *
 * Everything a rebuild is lies in the registry, so whoever drives it may die at any point and another go on.
 */
export class Rebuilder {
  constructor(
    readonly options: {
      catalog: () => Catalog;
      registry: RegistryWatch;
      tasks: TaskStore;
      log: SourceLog;
      code: Code;
      clock: Clock;
      limits: Limits;
    },
  ) {}

  /** The views a rebuild of `names` makes anew: themselves and everything that reads them, upstreams first. */
  affected(names: readonly string[]): string[] {
    const catalog = this.options.catalog();
    const affected = new Set(names);
    for (const name of catalog.views.keys())
      if (affected.has(name))
        for (const dependent of catalog.dependentsOf(name)) affected.add(dependent.name);
    return [...catalog.views.keys()].filter((name) => affected.has(name));
  }

  /** @throws StillwaterError `log-trimmed` if a source's beginning is gone and that was not accepted. */
  async check(views: readonly string[], acceptTrimmed: boolean): Promise<void> {
    if (acceptTrimmed) return;
    const { log } = this.options;
    const keys = [...new Set(views.flatMap((view) => this.#sources(view)))];
    const gone = (await log.ends(keys)).filter(isIncomplete);
    if (gone.length === 0) return;
    throw new StillwaterError('log-trimmed', {
      what: `${views.length === 1 ? `The view "${views[0]}"` : `The views ${views.join(', ')}`} cannot be rebuilt as ${views.length === 1 ? 'it was' : 'they were'}: the beginning of a log is gone, or entries were deleted.`,
      evidence: gone
        .map(
          (end) =>
            `  ${end.redisKey}  ${end.length + archivedEntries(end)} of ${end.entriesAdded} entries left, from ${firstReadable(end) ?? 'none'}${end.archived?.unreadable ? `\n${end.archived.unreadable.message}` : ''}`,
        )
        .join('\n'),
      consequence:
        'Nothing was started. A rebuild from what is left would lack those entries, and events may be late in one and not in the other.',
      remedy:
        'Say that this is wanted: `stillwater rebuild <view> --accept-trimmed`, or POST …/rebuilds?acceptTrimmed=true.',
    });
  }

  #sources(view: string): string[] {
    const { catalog, registry } = this.options;
    const declared = catalog().views.get(view);
    const known = registry.snapshot.generations.find((generation) => generation.view === view)?.sources;
    if (known) return [...known];
    return declared
      ? newGenerations(
          [{ view: declared, state: 'building', rebuild: null, acceptTrimmed: false, release: 0, now: 0 }],
          registry.snapshot,
        )[0]!.sources.slice()
      : [];
  }

  /**
   * Makes the generations of a rebuild, once; a repeat finds them.
   * @throws StillwaterError `not-serving` where a view that is read has no generation, as in a registry that went back: it passes
   */
  async begin(
    id: string,
    names: readonly string[],
    state: 'building' | 'shadow',
    acceptTrimmed: boolean,
  ): Promise<Generation[]> {
    const { catalog, registry, clock } = this.options;
    let made: Generation[] = [];
    await registry.change((now) => {
      made = now.generations.filter(({ rebuild }) => rebuild === id);
      if (made.length > 0) return null;
      const views = names.map((name) => catalog().views.get(name)).filter((view) => view !== undefined);
      for (const view of views) assertIsRead(view, names, now.generations);
      made = newGenerations(
        views.map((view) => ({
          view,
          state,
          rebuild: id,
          acceptTrimmed,
          release: now.release,
          now: clock.now(),
        })),
        now,
      );
      return { puts: made };
    });
    return made;
  }

  generationsOf(id: string): Generation[] {
    return this.options.registry.snapshot.generations.filter(({ rebuild }) => rebuild === id);
  }

  /**
   * How a rebuild stands; promotes it if it has caught up and may be, or it is said that it is to be. Called again and again by its driver.
   * `beforePromotion` is told what there was: afterwards it cannot be counted any more.
   */
  async advance(
    id: string,
    promoteNow = false,
    beforePromotion?: (progress: RebuildProgress) => Promise<void>,
  ): Promise<RebuildProgress> {
    const { registry, tasks, log } = this.options;
    await registry.refresh();
    const generations = this.generationsOf(id);
    const progress: RebuildProgress = {
      generations: generations.map(({ view, number }) => ({ view, generation: number })),
      state: 'replaying',
      reason: null,
      entriesDone: 0,
      entriesTotal: 0,
      errors: 0,
    };
    const building = generations.filter(({ state }) => state === 'building');
    if (generations.length === 0 || generations.every(({ state }) => state === 'dropping'))
      return { ...progress, state: 'cancelled' };
    if (building.length === 0) return { ...progress, state: 'promoted' };

    // What is served is read before what is built: then "passed" holds for the moment of the first reading.
    const served = new Map(
      await Promise.all(
        building.map(async ({ view }) => {
          const serving = registry.serving(view);
          return [view, serving && (await progressOf(serving, tasks, log))] as const;
        }),
      ),
    );
    const isOfThisLog = ![...served.values()].some(
      (progress) => progress !== null && hasLostItsLog(progress),
    );
    let caughtUp = true;
    let held: string | null = null;
    for (const generation of building) {
      const now = await progressOf(generation, tasks, log);
      progress.entriesDone += now.entriesDone;
      progress.entriesTotal += now.entriesTotal;
      progress.errors += errorsIn(now);
      const parked = now.statuses.find((status) => status.parked)?.parked;
      if (parked) return { ...progress, state: 'failed', reason: `${generation.view}: ${parked.message}` };
      const serving = served.get(generation.view) ?? null;
      held ??= heldBack(generation, now, serving, this.#errorsMax(generation.view));
      if (!(await hasCaughtUp(generation, now, { serving, isOfThisLog }, this.options))) caughtUp = false;
    }
    if (building.some(({ paused }) => paused)) return { ...progress, state: 'paused' };
    if (!caughtUp) return progress;
    if (!promoteNow && building.some(({ promote }) => promote === 'manual'))
      return { ...progress, state: 'caughtUp' };
    if (!promoteNow && held !== null) return { ...progress, state: 'held', reason: held };
    await beforePromotion?.(progress);
    await this.promote(id);
    return { ...progress, state: 'promoted' };
  }

  #errorsMax(view: string): number {
    return this.options.catalog().views.get(view)?.errorsMax ?? ERRORS_MAX_DEFAULT;
  }

  /** Puts all generations of a rebuild in the place of those that serve, in one write. */
  async promote(id: string): Promise<void> {
    const at = this.options.clock.now();
    await this.options.registry.change((now) => {
      const ready = now.generations.filter(({ rebuild, state }) => rebuild === id && state === 'building');
      const views = new Set(ready.map(({ view }) => view));
      const puts = ready.map((generation) => inState(generation, 'serving', at));
      for (const generation of now.generations)
        if (views.has(generation.view) && generation.state === 'serving')
          puts.push({ ...inState(generation, 'kept', at), rolledBackFrom: null });
      // What was kept until now goes, unless something that is not replaced here still reads it.
      const old = now.generations.filter(({ view, state }) => views.has(view) && state === 'kept');
      const read = maintained([
        ...now.generations.filter((generation) => !puts.some((put) => isSame(put, generation))),
        ...puts,
      ]);
      return {
        puts: [
          ...puts,
          ...old
            .filter((generation) => !read.has(generation))
            .map((generation) => inState(generation, 'dropping', at)),
        ],
      };
    });
  }

  async pause(id: string, paused: boolean): Promise<void> {
    await this.options.registry.change((now) => ({
      puts: now.generations
        .filter(({ rebuild, state }) => rebuild === id && state === 'building')
        .map((generation) => ({ ...generation, paused })),
    }));
  }

  async cancel(id: string): Promise<void> {
    const at = this.options.clock.now();
    await this.options.registry.change((now) => ({
      puts: now.generations
        .filter(({ rebuild, state }) => rebuild === id && (state === 'building' || state === 'shadow'))
        .map((generation) => inState(generation, 'dropping', at)),
    }));
  }

  /**
   * Puts the kept generations back: of the view, and of what was promoted with it or reads it. Of what was rebuilt since,
   * and so reads another generation, what serves is left. The generations that served until now are kept in their turn,
   * so a rollback can be rolled back.
   * @throws StillwaterError `nothing-kept`
   */
  async rollback(view: string): Promise<{ view: string; generation: number }[]> {
    let back: Generation[] = [];
    const at = this.options.clock.now();
    await this.options.registry.change((now) => {
      const together = new Set([view, ...this.affected([view])]);
      const serving = now.generations.find(
        (generation) => generation.view === view && generation.state === 'serving',
      );
      const promotedTogether = now.generations
        .filter(
          ({ rebuild, state }) => state === 'serving' && rebuild !== null && rebuild === serving?.rebuild,
        )
        .map((generation) => generation.view);
      promotedTogether.forEach((name) => together.add(name));
      back = keptOf(together, view, now.generations);
      if (!back.some((generation) => generation.view === view))
        throw new StillwaterError('nothing-kept', {
          what: `The view "${view}" cannot be rolled back: no earlier generation of it is kept.`,
          evidence: `  serving  ${serving ? serving.number : 'none'}`,
          consequence: 'Nothing was changed.',
          remedy: 'An earlier definition can be deployed again; it is then rebuilt.',
        });
      const views = new Set(back.map((generation) => generation.view));
      return {
        puts: [
          ...back.map((generation) => ({
            ...inState(generation, 'serving', at),
            rolledBackFrom: rolledBackFrom(generation, now.generations),
          })),
          ...now.generations
            .filter((generation) => views.has(generation.view) && generation.state === 'serving')
            .map((generation) => ({ ...inState(generation, 'kept', at), rolledBackFrom: null })),
        ],
      };
    });
    return back.map(({ view: name, number }) => ({ view: name, generation: number }));
  }
}

/** Made of a view of which there is nothing, it would read nothing for ever, and be promoted for it. */
function assertIsRead(
  { name, plan }: ViewDeclaration,
  rebuilt: readonly string[],
  generations: readonly Generation[],
): void {
  for (const source of sourcesOf(plan)) {
    const isThere = rebuilt.includes(source.name) || generations.some(({ view }) => view === source.name);
    if (source.kind !== 'view' || isThere) continue;
    throw new StillwaterError('not-serving', {
      what: `The view "${name}" cannot be rebuilt: it reads "${source.name}", of which no generation is known.`,
      evidence: `  known  ${[...new Set(generations.map(({ view }) => view))].join(', ') || 'none'}`,
      consequence: 'Nothing was started.',
      remedy:
        'No action where it has just been deployed, or the registry lost its last writes: it is tried again. Else start a process that declares it.',
    });
  }
}

const isSame = (one: Generation, other: Generation): boolean =>
  one.view === other.view && one.number === other.number;
