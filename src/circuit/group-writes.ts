import type { KnownGroup } from './known-group.js';

/** One change to store: the member's weight before the tick and after it; 0 is absence. */
export interface OrderedWrite {
  readonly group: string;
  readonly member: string;
  readonly before: number;
  after: number;
}

/** So many writes are looked through as quickly as a map is asked. */
const FEW = 8;

/** What a tick has changed of one group, a write for each member. Mostly they are few. */
export class GroupWrites {
  readonly writes: OrderedWrite[];
  /** Whether one of them went, at any time in the tick. */
  anyWent = false;
  #byMember: Map<string, OrderedWrite> | null = null;

  constructor(
    readonly known: KnownGroup,
    first: OrderedWrite,
  ) {
    this.writes = [first];
  }

  get group(): string {
    return this.writes[0]!.group;
  }

  of(member: string): OrderedWrite | undefined {
    if (this.writes.length > FEW) return this.#inMap(member);
    for (const write of this.writes) if (write.member === member) return write;
    return undefined;
  }

  push(write: OrderedWrite): void {
    this.writes.push(write);
    this.#byMember?.set(write.member, write);
  }

  /** Mostly members only come, and nobody asks for what was written of one. */
  #inMap(member: string): OrderedWrite | undefined {
    this.#byMember ??= new Map(this.writes.map((one) => [one.member, one]));
    return this.#byMember.get(member);
  }
}
