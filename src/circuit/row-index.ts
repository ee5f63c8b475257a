/**
 * A declared index of a view: members that order its rows, written and never read by the circuit. A member is
 * the order text of its columns, then the bucket and key of the row it leads to (`view-output.ts`).
 */
export class RowIndex {
  readonly kind = 'index';
  /** Member → whether it is there after the tick. */
  #current = new Map<string, boolean>();

  constructor(readonly name: string) {}

  insert(member: string): void {
    // Taken away and put back in one tick: as it was.
    if (this.#current.get(member) === false) this.#current.delete(member);
    else this.#current.set(member, true);
  }

  remove(member: string): void {
    if (this.#current.get(member) === true) this.#current.delete(member);
    else this.#current.set(member, false);
  }

  get changed(): number {
    return this.#current.size;
  }

  get cached(): number {
    return 0;
  }

  writes(): Iterable<[member: string, present: boolean]> {
    return this.#current;
  }

  seal(): void {
    this.#current = new Map();
  }

  acknowledge(): void {}

  settle(): void {}

  discard(): void {
    this.#current = new Map();
  }

  drop(): void {
    this.#current = new Map();
  }
}
