import { shownRows } from '../../zset/row-block.js';
import type { MemoryRedis } from '../memory/memory-redis.js';
import { eventsOf } from './producers.js';
import type { WholeLog } from './simulated-archive.js';
import type { Heartbeats, Shown, Subject } from './subject.js';

/** What the views show, and what the logs say at the same moment. */
export interface Compared {
  readonly redis: MemoryRedis;
  readonly subject: Subject;
  /** By their keys. */
  readonly logs: ReadonlyMap<string, WholeLog>;
  /** Views of which nothing is expected. */
  readonly except: ReadonlySet<string>;
}

/** What is wrong with what the views show; null where nothing is. */
export function wrongIn(compared: Compared): string | null {
  for (const { view, expected, shown } of eachOf(compared)) {
    if (compared.subject.final?.includes(view))
      for (const key of expected.keys()) if (!shown.has(key)) expected.delete(key);
    const difference = differenceOf(expected, shown);
    if (difference !== null) return `The view "${view}" is wrong: ${difference}`;
  }
  return null;
}

/** A row that is shown before the logs say that it is time; null where there is none. */
export function earlyIn(compared: Compared): string | null {
  for (const { view, expected, shown } of eachOf(compared)) {
    if (!compared.subject.onlyAdded?.includes(view)) continue;
    for (const [key, row] of shown)
      if (!expected.has(key)) return `The view "${view}" shows too early: ${JSON.stringify(row)}`;
  }
  return null;
}

function* eachOf({ redis, subject, logs, except }: Compared) {
  const log = new Map([...logs].map(([key, { entries }]) => [key, entries.flatMap(eventsOf)]));
  const heartbeats: Heartbeats = new Map([...logs].map(([key, whole]) => [key, whole.heartbeats]));
  for (const [view, expected] of subject.expected(log, heartbeats))
    if (!except.has(view)) yield { view, expected, shown: shownOf(redis, subject, view) };
}

function shownOf(redis: MemoryRedis, subject: Subject, view: string): Shown {
  const serving = [...redis.registry.generations.values()].find(
    (generation) => generation.view === view && generation.state === 'serving',
  )!;
  const key = subject.views.find(({ name }) => name === view)!.key;
  const shown: Shown = new Map();
  for (const [name, task] of redis.tasks) {
    if (!name.startsWith(`${view}#${serving.number}/`)) continue;
    for (const [at, stored] of task.keyed.get('rows') ?? [])
      for (const { text } of shownRows(at, stored)) {
        const row = JSON.parse(text) as Record<string, unknown>;
        shown.set(key.map((column) => row[column]).join(' '), row);
      }
  }
  return shown;
}

function differenceOf(expected: Shown, shown: Shown): string | null {
  for (const key of new Set([...expected.keys(), ...shown.keys()])) {
    const [wanted, found] = [expected.get(key), shown.get(key)];
    const same =
      wanted !== undefined &&
      found !== undefined &&
      Object.keys({ ...wanted, ...found }).every((column) => wanted[column] === found[column]);
    if (!same) return `${JSON.stringify(found)} is shown where ${JSON.stringify(wanted)} is right.`;
  }
  return null;
}
