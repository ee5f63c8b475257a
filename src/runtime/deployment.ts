import { createHash } from 'node:crypto';
import { sourcesOf } from '../view/plan-nodes.js';
import type { ViewDeclaration } from '../view/declarations.js';
import type { Catalog } from './catalog.js';
import type { Clock } from './clock.js';
import type { Code } from './code.js';
import type { Logger } from './logger.js';
import { newGenerations, STATE_FORMAT } from './new-generations.js';
import type { Generation } from './ports/registry.js';
import type { RegistryWatch } from './registry-watch.js';

/** What a start changed. */
export interface DeploymentResult {
  release: number;
  /** Another release is newer: this process creates and promotes nothing. */
  superseded: boolean;
  created: string[];
  unchanged: string[];
  /** Views whose definition changed, and new ones that read a changed one: their rebuild is to be started. */
  changed: string[];
  /** Generations of views that are no longer declared. */
  orphaned: string[];
}

export interface DeploymentOptions {
  registry: RegistryWatch;
  code: Code;
  clock: Clock;
  logger: Logger;
  /** Part of what a release is, beside its fingerprints: the same definitions under a new name are a new release, and lead. */
  identity?: string;
}

/**
 * What becomes of a set of declarations when a process starts with it.
 *
 * One release leads: the set of all fingerprints gets a rising number when it is first seen, and only processes of the
 * newest release create and promote generations. So a rolling deploy, or a stale branch, does not rebuild back.
 */
export async function deploy(
  catalog: Catalog,
  { registry, code, clock, logger, identity = '' }: DeploymentOptions,
): Promise<DeploymentResult> {
  const views = [...catalog.views.values()];
  code.add(views);
  const release = await registry.registry.register(
    releaseOf(
      identity,
      views.map(({ name, fingerprint }) => `${name} ${fingerprint}`),
    ),
  );
  const result: DeploymentResult = {
    release,
    superseded: false,
    created: [],
    unchanged: [],
    changed: [],
    orphaned: [],
  };
  await registry.change((now) => {
    Object.assign(result, {
      superseded: now.release > release,
      created: [],
      unchanged: [],
      changed: [],
      orphaned: [],
    });
    const missing: ViewDeclaration[] = [];
    /** What it reads is served as another definition: its rows would be made of rows it was not written for. */
    const isAhead = ({ plan }: ViewDeclaration): boolean =>
      sourcesOf(plan).some(
        (source) =>
          source.kind === 'view' &&
          !missing.some(({ name }) => name === source.name) &&
          !now.generations.some((generation) => generation.state === 'serving' && isOf(source, generation)),
      );
    for (const view of views) {
      const generations = now.generations.filter(
        (generation) =>
          generation.view === view.name &&
          (generation.state === 'serving' || generation.state === 'building'),
      );
      if (generations.length === 0 && !isAhead(view)) missing.push(view);
      else if (generations.some((generation) => isOf(view, generation))) result.unchanged.push(view.name);
      else result.changed.push(view.name);
    }
    result.orphaned = [...new Set(now.generations.map(({ view }) => view))].filter(
      (view) => !catalog.views.has(view),
    );
    if (result.superseded) return null;
    result.created = missing.map(({ name }) => name);
    const puts = newGenerations(
      missing.map((view) => ({
        view,
        state: 'serving',
        rebuild: null,
        acceptTrimmed: false,
        release,
        now: clock.now(),
      })),
      now,
    );
    return puts.length > 0 ? { puts } : null;
  });
  if (result.superseded)
    logger.warn(
      `Release ${release} is not the newest (${registry.snapshot.release}): this process maintains what it has the code of, and creates and promotes nothing. ` +
        `To go back to an older definition on purpose, deploy it under a new name (STILLWATER_RELEASE), or \`POST /views/<view>/rollback\`.`,
    );
  return result;
}

const isOf = (view: ViewDeclaration, generation: Generation): boolean =>
  generation.view === view.name &&
  generation.fingerprint === view.fingerprint &&
  generation.format === STATE_FORMAT;

/** The identity of what is saved now: it leads, also where it is what there was before, and is never deployed again. */
export const edited = (ms: number): string => `~${ms}`;

const releaseOf = (identity: string, fingerprints: string[]): string =>
  (identity.startsWith('~') ? '~' : '') +
  createHash('sha256')
    .update([identity, ...fingerprints].sort().join('\n'))
    .digest('hex')
    .slice(0, 16);
