import { assert } from '../assert.js';
import type { Row } from '../zset/value.js';
import { type Arrangement, changeOf, type Changes } from './arrangement.js';
import type { Keyed } from './operator.js';

/** How many rows a key has, for those who need not know which. */
export class CountedArrangement implements Arrangement {
  constructor(readonly state: Keyed<number>) {}

  textOf(row: Row): string {
    return JSON.stringify(row);
  }

  wantPage(): never {
    assert(false, 'Rows that are only counted were asked for.');
  }

  page(): never {
    return this.wantPage();
  }

  rowsIn(): never {
    return this.wantPage();
  }

  reach(): never {
    return this.wantPage();
  }

  wantAny(key: string): boolean {
    return this.state.want(key);
  }

  any(key: string): boolean {
    return this.state.get(key) !== undefined;
  }

  anyAfter(key: string, changes: Changes): boolean {
    return this.#after(key, changes) > 0;
  }

  wantChanges(key: string): void {
    this.state.want(key);
  }

  weight(): never {
    return this.wantPage();
  }

  apply(key: string, changes: Changes): void {
    const after = this.#after(key, changes);
    if (after < 0)
      assert(
        false,
        `A key of a join would have ${after} rows: a row was retracted that had not been inserted.`,
      );
    if (after === 0) {
      if (this.state.get(key) !== undefined) this.state.delete(key);
    } else if (after !== this.state.get(key)) this.state.set(key, after);
  }

  wantFreed(key: string): void {
    this.state.want(key);
  }

  free(key: string): number {
    const freed = this.state.get(key) ?? 0;
    if (freed > 0) this.state.delete(key);
    return freed;
  }

  #after(key: string, changes: Changes): number {
    return (this.state.get(key) ?? 0) + changeOf(changes);
  }
}
