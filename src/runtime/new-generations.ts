import { compileStage } from '../view/compile-plan.js';
import { sourcesOf } from '../view/plan-nodes.js';
import type { ViewDeclaration } from '../view/declarations.js';
import { partitionsOfStage, stagesOf } from '../view/stages.js';
import { describeView } from './reading/view-description.js';
import { partitionKeys } from './placement.js';
import type { Generation, RegistrySnapshot } from './ports/registry.js';

/** The number of the format in which values are stored. A release reads its own; anything else is rebuilt. */
export const STATE_FORMAT = 4;

/** Of what the state of a generation is made, as its tasks keep it: where a number was given twice it tells whose state that is. */
export const definitionIn = ({
  fingerprint,
  format,
  acceptTrimmed,
}: Pick<Generation, 'fingerprint' | 'format' | 'acceptTrimmed'>): string =>
  `${fingerprint} in format ${format}${acceptTrimmed ? ' of a trimmed log' : ''}`;

export interface NewGeneration {
  view: ViewDeclaration;
  state: Generation['state'];
  rebuild: string | null;
  acceptTrimmed: boolean;
  release: number;
  now: number;
}

/**
 * New generations of some views, given in an order in which upstreams come first. Each reads of its upstreams the generation
 * made here, or else the one of the definition it was written for: the serving one, if that is of it.
 *
 * A number is never given again, also not one of a generation that is gone: by it a client knows of which generation its
 * rows are, and a worker that was paused in the middle of deleting one knows what it was deleting.
 */
export function newGenerations(
  wanted: readonly NewGeneration[],
  { generations: existing, numbers }: Pick<RegistrySnapshot, 'generations' | 'numbers'>,
): Generation[] {
  const made: Generation[] = [];
  for (const { view, state, rebuild, acceptTrimmed, release, now } of wanted) {
    const sources = sourcesOf(view.plan);
    const upstreams: Record<string, number> = {};
    const logs = new Set<string>();
    for (const source of sources) {
      if (source.kind !== 'view') partitionKeys(source).forEach((key) => logs.add(key));
      else {
        const upstream = upstreamOf(source, made, existing);
        if (!upstream) continue;
        upstreams[source.name] = upstream.number;
        upstream.sources.forEach((key) => logs.add(key));
      }
    }
    const stages = Array.from({ length: stagesOf(view) }, (_, stage) => ({
      partitions: partitionsOfStage(view, stage),
      states: compileStage(view, stage, { budget: { entriesMax: 1 } }).states,
    }));
    made.push({
      view: view.name,
      number:
        1 +
        Math.max(
          numbers[view.name] ?? 0,
          ...[...existing, ...made]
            .filter((generation) => generation.view === view.name)
            .map(({ number }) => number),
        ),
      fingerprint: view.fingerprint,
      release,
      state,
      since: now,
      paused: false,
      partitions: view.partitions,
      ...(stages.length > 1 && { stages: stages.slice(0, -1) }),
      buckets: view.buckets,
      states: stages.at(-1)!.states,
      upstreams,
      sources: [...logs],
      stopAt: null,
      rebuild,
      promote: view.promote,
      acceptTrimmed,
      createdAt: now,
      description: describeView(view),
      format: STATE_FORMAT,
    });
  }
  return made;
}

function upstreamOf(
  { name, fingerprint }: ViewDeclaration,
  made: readonly Generation[],
  existing: readonly Generation[],
): Generation | undefined {
  const ours = made.find((generation) => generation.view === name);
  if (ours) return ours;
  const of = existing.filter((generation) => generation.view === name);
  const candidates = [
    ...of.filter(({ state }) => state === 'serving'),
    ...of.filter(({ state }) => state === 'building'),
  ];
  return candidates.find((generation) => generation.fingerprint === fingerprint) ?? candidates[0];
}
