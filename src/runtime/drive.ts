import type { Circuit, Fetch } from '../circuit/circuit.js';
import { NO_TIME, type Time } from '../circuit/time.js';
import type { Delta } from '../zset/delta.js';
import type { FetchedState, StoredState } from './ports/task-store.js';

/** Steps a circuit once, fetching what its operators name and no cache holds: none or one round trip an operator. */
export async function drive(
  circuit: Circuit,
  inputs: ReadonlyMap<string, Delta>,
  fetchState: (wanted: StoredState) => Promise<FetchedState>,
  around: <T>(step: () => T) => T = (step) => step(),
  [time, before]: readonly [time: Time, before: Time] = [NO_TIME, NO_TIME],
  /** Returns when it may work: called before each piece of the step. */
  turn: () => Promise<void> = async () => {},
): Promise<Delta> {
  const stepping = circuit.step(inputs, time, before);
  for (;;) {
    await turn();
    const next = around(() => stepping.next());
    if (next.done) return next.value;
    answer(next.value, await fetchState(wantedState(next.value)));
  }
}

function wantedState(fetch: Fetch): StoredState {
  return {
    keyed: fetch.keyed.map(({ state, keys }) => ({ state: state.name, keys })),
    ordered: fetch.ordered.map(({ state, reads }) => ({ state: state.name, reads })),
  };
}

function answer(fetch: Fetch, found: FetchedState): void {
  fetch.keyed.forEach(({ state, keys }, at) => {
    const texts = found.keyed[at]!;
    for (let index = 0; index < keys.length; index++) state.load(keys[index]!, texts[index]);
  });
  fetch.ordered.forEach(({ state, reads }, at) => {
    const members = found.ordered[at]!;
    for (let index = 0; index < reads.length; index++) state.load(reads[index]!, members[index]!);
  });
}
