import { indexMember } from '../../circuit/view-output.js';
import { decodeChangelog } from '../../runtime/changelog.js';
import type { CommitRequest } from '../../runtime/ports/task-store.js';
import { type TaskId, taskName, taskNamed } from '../../runtime/task-id.js';
import type { ViewDeclaration } from '../../view/declarations.js';
import { indexOrderText, indexState } from '../../view/index-order.js';
import { stagesOf } from '../../view/stages.js';
import { bucketOf } from '../../zset/bucket-of.js';
import { Checksum } from '../../zset/checksum.js';
import { shownRows } from '../../zset/row-block.js';
import type { MemoryRedis, MemoryTask } from '../memory/memory-redis.js';

/** What the changelog of a task comes to: its rows by their keys, as of a commit. */
interface Followed {
  commit: string;
  readonly rows: Map<string, string>;
}

/**
 * Looks whether what is stored of views beside their rows agrees with these: each changelog, from where somebody began to read it,
 * comes to them; indexes have a member for each and no other; the count and the checksum are theirs. So it is after every
 * commit that did not break off, whatever went back, since a task goes back as a whole.
 */
export class ViewWatch {
  readonly #views: ReadonlyMap<string, ViewDeclaration>;
  readonly #followed = new Map<string, Followed>();

  constructor(
    readonly redis: MemoryRedis,
    views: readonly ViewDeclaration[],
  ) {
    this.#views = new Map(views.map((view) => [view.name, view]));
  }

  /**
   * A commit was stored: follows its changelog. What is wrong with that; null where nothing is. One that is late names a commit before
   * it that is lost, for readers to find out.
   */
  follow({ task, tick, nonce, changelog }: CommitRequest, isLate: boolean): string | null {
    if (!this.#keepsRows(task)) return null;
    const name = taskName(task);
    const kept = this.redis.tasks.get(name)!;
    const followed = this.#followed.get(name);
    if (changelog === null || isLate) this.#followed.delete(name);
    else if (followed === undefined) this.#followed.set(name, { commit: nonce, rows: rowsOf(kept) });
    else {
      const entry = kept.changes.entries.at(-1);
      if (entry?.[0] !== `${tick}-0`)
        return `${name}: the changelog ends at ${entry?.[0]}, and not at ${tick}`;
      const { previous, commit, changes } = decodeChangelog(entry);
      if (previous !== followed.commit)
        return `${name}: the changelog of ${commit} follows ${previous}, and not ${followed.commit}`;
      followed.commit = commit;
      for (const { key, before, after } of changes) {
        if (sorted(before) !== (followed.rows.get(key) ?? null))
          return `${name}: what the changelog of tick ${tick} says was before\n${sorted(before)}\nwas\n${followed.rows.get(key)}`;
        if (after === null) followed.rows.delete(key);
        else followed.rows.set(key, sorted(after)!);
      }
    }
    return null;
  }

  /** Something was rolled back: changelogs are followed anew. */
  wentBack(): void {
    this.#followed.clear();
  }

  /** What does not agree now; null where everything does. */
  disagreement(): string | null {
    for (const [name, kept] of this.redis.tasks) {
      const task = taskNamed(name);
      // What broke off is of no tick.
      if (task === null || !this.#keepsRows(task) || !kept.record?.commit) continue;
      const found = this.#disagreementIn(name, kept, this.#views.get(task.view)!);
      if (found !== null) return `${name}, at ${kept.record.commit}: ${found}`;
    }
    return null;
  }

  #disagreementIn(name: string, kept: MemoryTask, view: ViewDeclaration): string | null {
    const rows = rowsOf(kept);
    const { rows: count, checksum } = kept.record!;
    if (rows.size !== count) return `${rows.size} rows are stored, and ${count} were counted`;
    const sum = checksumOf(kept);
    if (sum !== checksum) return `the rows have the checksum ${sum}, and ${checksum} is stored`;
    const followed = this.#followed.get(name);
    if (followed !== undefined && followed.commit === kept.record!.commit) {
      const key = differenceOf(rows, followed.rows);
      if (key !== null)
        return `the changelog comes to\n${followed.rows.get(key)}\nwhere the row is\n${rows.get(key)}`;
    }
    return indexDifference(kept, view);
  }

  #keepsRows({ view, stage }: TaskId): boolean {
    const declared = this.#views.get(view);
    return declared !== undefined && stage === stagesOf(declared) - 1;
  }
}

/** The rows of a task by their keys. */
function rowsOf({ keyed }: MemoryTask): Map<string, string> {
  const rows = new Map<string, string>();
  for (const [at, stored] of keyed.get('rows') ?? [])
    for (const { key, text } of shownRows(at, stored)) rows.set(key, sorted(JSON.parse(text) as object)!);
  return rows;
}

/** The checksum of all that is stored as rows, those too that others hide. */
function checksumOf({ keyed }: MemoryTask): string {
  const sum = new Checksum();
  for (const [at, stored] of keyed.get('rows') ?? []) {
    const [, , others] = stored.startsWith('\u0001') ? [] : stored.split('\n');
    if (others !== undefined)
      for (const [text, weight] of JSON.parse(others) as [string, number][]) sum.add(text, weight);
    else for (const { text } of shownRows(at, stored)) sum.add(text, 1);
  }
  return sum.toString();
}

function indexDifference({ keyed, indexes, buckets }: MemoryTask, view: ViewDeclaration): string | null {
  for (const [place, index] of view.indexes.entries()) {
    const orderOf = indexOrderText(index);
    const found = indexes.get(indexState(place)) ?? new Set<string>();
    let members = 0;
    for (const [at, stored] of keyed.get('rows') ?? [])
      for (const { key, text } of shownRows(at, stored)) {
        members++;
        const member = indexMember(orderOf(JSON.parse(text)), bucketOf(key, buckets), key);
        if (!found.has(member)) return `the index ${index.name} has no member for the row ${text}`;
      }
    if (found.size !== members)
      return `the index ${index.name} has ${found.size} members for ${members} rows`;
  }
  return null;
}

const sorted = (row: object | null): string | null =>
  row && JSON.stringify(Object.entries(row).sort(([left], [right]) => (left < right ? -1 : 1)));

function differenceOf(left: ReadonlyMap<string, string>, right: ReadonlyMap<string, string>): string | null {
  for (const key of new Set([...left.keys(), ...right.keys()]))
    if (left.get(key) !== right.get(key)) return key;
  return null;
}
