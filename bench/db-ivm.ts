import { D2, groupBy, groupByOperators, MultiSet, output } from '@tanstack/db-ivm';
import { airport, FlightEvents, type MadeFlight } from './flight-events.js';

const { count, max, sum } = groupByOperators;
const BATCH_EVENTS = 2_000;

/** The same aggregates by @tanstack/db-ivm: events that are already parsed, state in memory, nothing kept. */
export async function dbIvm(options: {
  events: number;
  keys: number;
  seed: number;
}): Promise<{ events: number; ms: number; counted: number }> {
  const events = new FlightEvents(options.seed);
  const batches: MultiSet<MadeFlight>[] = [];
  for (let made = 0; made < options.events;) {
    const batch: [MadeFlight, number][] = [];
    for (; batch.length < BATCH_EVENTS && made < options.events; made++)
      batch.push([events.next(airport(events.uniform(options.keys))), 1]);
    batches.push(new MultiSet(batch));
  }

  const graph = new D2();
  const input = graph.newInput<MadeFlight>();
  const rows = new Map<string, number>();
  input.pipe(
    groupBy((flight: MadeFlight) => ({ origin: flight.origin }), {
      flights: count<MadeFlight>(),
      delay: sum((flight: MadeFlight) => flight.delay),
      worstDelay: max((flight: MadeFlight) => flight.delay),
    }),
    output((message) => {
      for (const [[key, row], weight] of message.getInner()) if (weight > 0) rows.set(key, row.flights);
    }),
  );
  graph.finalize();

  const startedAt = performance.now();
  for (const batch of batches) {
    input.sendData(batch);
    graph.run();
  }
  const ms = performance.now() - startedAt;
  let counted = 0;
  for (const flights of rows.values()) counted += flights;
  return { events: options.events, ms, counted };
}
