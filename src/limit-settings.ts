import { defaultImportLimits, type ImportLimits } from './cli/import-watch.js';
import { defaultJobLimits, type JobLimits } from './jobs/rebuild-queue.js';
import { nearestName } from './nearest-name.js';
import { defaultLimits, type Limits } from './runtime/limits.js';
import { defaultServingLimits, type ServingLimits } from './serving/serving-limits.js';

/** Limits that differ from their defaults, by whom they are for. */
export interface LimitSettings {
  readonly runtime: Partial<Limits>;
  /** Of HTTP, and of reading. */
  readonly http: Partial<ServingLimits>;
  readonly jobs: Partial<JobLimits>;
  /** Of loading view modules. */
  readonly modules: Partial<ImportLimits>;
}

/** What a timer can wait: one that is given more rings at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;
/** Ages, and times of events, which no timer waits for. */
const AGES: ReadonlySet<string> = new Set([
  'keptMs',
  'orphanMs',
  'parkedHoldsBackMs',
  'appendMemoryMs',
  'replaySkewMsMax',
]);

const GROUPS = {
  runtime: defaultLimits,
  http: defaultServingLimits,
  jobs: defaultJobLimits,
  modules: defaultImportLimits,
} as const;
/** No limits but the defaults. */
export const noLimits = (): LimitSettings => ({ runtime: {}, http: {}, jobs: {}, modules: {} });

/**
 * Limits from a text: a JSON object, or `name=value,name=value`. A name that several parts have (`registryRefreshMs`) is for
 * all of them. A text that cannot be read gives a sentence that says why.
 */
export function readLimits(text: string): LimitSettings | string {
  const given = text.trim().startsWith('{') ? fromJson(text) : fromPairs(text);
  if (typeof given === 'string') return given;
  const limits = noLimits() as Record<keyof typeof GROUPS, Record<string, number>>;
  for (const [name, value] of given) {
    const groups = (Object.keys(GROUPS) as (keyof typeof GROUPS)[]).filter((group) =>
      Object.hasOwn(GROUPS[group], name),
    );
    if (groups.length === 0) return notALimit(name);
    const max = name.includes('Ms') && !AGES.has(name) ? TIMER_MS_MAX : Number.MAX_SAFE_INTEGER;
    const number = /^\d+$/.test(String(value)) ? Number(value) : NaN;
    if (!(number >= 1 && number <= max))
      return `${name} is ${JSON.stringify(value)}, and takes a whole number from 1 to ${max}`;
    for (const group of groups) limits[group][name] = number;
  }
  return limits;
}

function fromJson(text: string): [name: string, value: unknown][] | string {
  try {
    return Object.entries(JSON.parse(text) as object);
  } catch {
    return `${JSON.stringify(text)} is not JSON`;
  }
}

function fromPairs(text: string): [name: string, value: unknown][] | string {
  const pairs: [string, unknown][] = [];
  for (const pair of text.split(',').map((part) => part.trim())) {
    const [, name, value] = /^(\w+) *= *(\S+)$/.exec(pair) ?? [];
    if (name === undefined) return `${JSON.stringify(pair)} is not name=value`;
    pairs.push([name, value]);
  }
  return pairs;
}

function notALimit(name: string): string {
  const names = [...new Set(Object.values(GROUPS).flatMap((group) => Object.keys(group)))].sort();
  const meant = nearestName(name, names);
  return `${JSON.stringify(name)} is not a limit. ${meant === null ? `There are ${names.join(', ')}` : `${meant} is one`}`;
}
