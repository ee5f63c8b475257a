/** The last entry of each round that was sent to a receiver, so far as it may not have taken it. */
export class EntriesOfRounds {
  /** By receiver, in their order. */
  readonly #last = new Map<number, { round: number; tick: number }[]>();

  /** Where nothing is known of what was sent to a receiver: the last entry is of this round at the latest. */
  known(receiver: number, round: number, tick: number): void {
    if (!this.#last.has(receiver)) this.#last.set(receiver, [{ round, tick }]);
  }

  sent(receiver: number, round: number, tick: number): void {
    const last = this.#last.get(receiver)?.at(-1);
    if (last?.round === round) last.tick = tick;
    else if (last !== undefined) this.#last.get(receiver)!.push({ round, tick });
  }

  /** The tick of the last entry that belongs to a round or to one before it; 0 where that is not known. What lies before is forgotten. */
  lastUpTo(receiver: number, round: number): number {
    const all = this.#last.get(receiver) ?? [];
    const behind = all.findIndex((one) => one.round > round);
    const count = behind < 0 ? all.length : behind;
    if (count === 0) return 0;
    all.splice(0, count - 1);
    return all[0]!.tick;
  }
}
