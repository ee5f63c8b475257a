import type { Circuit, Fetch } from '../circuit/circuit.js';
import type { OrderedRead } from '../circuit/ordered-state.js';
import { NO_TIME, type Time } from '../circuit/time.js';
import type { Delta } from '../zset/delta.js';
import { compareText } from '../zset/text-order.js';
import { inSorted, sortedMembers } from './in-range.js';

/**
 * What a circuit has committed, as texts, in memory: as much of a task's store as it takes to step a circuit. Texts and
 * not values, so that everything passes through the form in which it is stored.
 */
export class MemoryStates {
  readonly keyed = new Map<string, Map<string, string>>();
  readonly ordered = new Map<string, Map<string, Map<string, number>>>();
  readonly indexes = new Map<string, Set<string>>();
  readonly #sorted = new WeakMap<object, readonly [member: string, weight: number][]>();
  /** How many keys, members and ranges were asked for. */
  fetched = 0;

  /** Steps once. The tick's changes stay in the circuit's states until `commit`. */
  step(
    circuit: Circuit,
    inputs: ReadonlyMap<string, Delta>,
    time: Time = NO_TIME,
    before: Time = time,
  ): Delta {
    const stepping = circuit.step(inputs, time, before);
    for (;;) {
      const next = stepping.next();
      if (next.done) return next.value;
      this.#answer(next.value);
    }
  }

  /** Stores what the tick changed. How many fields and members that were. */
  commit(circuit: Circuit): number {
    return this.seal(circuit)();
  }

  /** Ends the tick, and gives its commit: until that is called it is under way, and the next tick may step already. */
  seal(circuit: Circuit): () => number {
    const writes: (() => void)[] = [];
    for (const state of circuit.states) {
      const { name } = state;
      if (state.kind === 'keyed')
        for (const [key, text] of state.writes()) writes.push(() => this.#put(name, key, text));
      else if (state.kind === 'ordered')
        for (const { group, member, after } of state.writes())
          writes.push(() => this.#putMember(name, group, member, after));
      else
        for (const [member, present] of state.writes())
          writes.push(() => this.#putIndexed(name, member, present));
    }
    circuit.seal();
    return () => {
      for (const write of writes) write();
      circuit.acknowledge();
      return writes.length;
    };
  }

  /** All that is stored, in one order: equal texts, equal states. */
  toString(): string {
    const keyed = sorted(this.keyed, (keys) => sorted(keys, (text) => text));
    const ordered = sorted(this.ordered, (groups) =>
      sorted(groups, (members) => sorted(members, (weight) => weight)),
    );
    const indexes = sorted(this.indexes, (members) => [...members].sort(compareText));
    return JSON.stringify({ keyed, ordered, indexes }, null, 1);
  }

  #answer(fetch: Fetch): void {
    for (const { state, keys } of fetch.keyed)
      for (const key of keys) {
        this.fetched++;
        state.load(key, this.keyed.get(state.name)?.get(key));
      }
    for (const { state, reads } of fetch.ordered)
      for (const read of reads) {
        this.fetched++;
        state.load(read, this.#found(state.name, read));
      }
  }

  #found(state: string, read: OrderedRead): [string, number][] {
    const members = this.ordered.get(state)?.get(read.group);
    if (members === undefined) return [];
    if ('member' in read) {
      const weight = members.get(read.member);
      return weight === undefined ? [] : [[read.member, weight]];
    }
    // Sorted once for all the reads between two commits.
    let sorted = this.#sorted.get(members);
    if (sorted === undefined) this.#sorted.set(members, (sorted = sortedMembers(members)));
    return inSorted(sorted, read);
  }

  #put(state: string, key: string, text: string | null): void {
    const keys = placeIn(this.keyed, state, () => new Map<string, string>());
    if (text === null) keys.delete(key);
    else keys.set(key, text);
    if (keys.size === 0) this.keyed.delete(state);
  }

  #putIndexed(state: string, member: string, present: boolean): void {
    const members = placeIn(this.indexes, state, () => new Set<string>());
    if (present) members.add(member);
    else members.delete(member);
    if (members.size === 0) this.indexes.delete(state);
  }

  #putMember(state: string, group: string, member: string, weight: number): void {
    const groups = placeIn(this.ordered, state, () => new Map<string, Map<string, number>>());
    const members = placeIn(groups, group, () => new Map<string, number>());
    if (weight === 0) members.delete(member);
    else members.set(member, weight);
    this.#sorted.delete(members);
    if (members.size === 0) groups.delete(group);
    if (groups.size === 0) this.ordered.delete(state);
  }
}

function placeIn<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

const sorted = <V, T>(map: ReadonlyMap<string, V>, form: (value: V) => T): [string, T][] =>
  [...map].sort(([left], [right]) => compareText(left, right)).map(([key, value]) => [key, form(value)]);
