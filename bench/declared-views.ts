import { z } from 'zod';
import { avg, count, declarationOf, instant, max, stream, sum, view } from '../src/index.js';
import type { ViewDeclaration } from '../src/view/declarations.js';
import { hoppingView } from './hopping-views.js';
import { nexmarkView } from './nexmark/queries.js';
import { operatorView } from './operators/subjects.js';

/** A view to be maintained, as it is told to another process: its name, the stream it reads and which of the shapes. */
export interface ViewSpec {
  readonly name: string;
  readonly stream: string;
  readonly shape: keyof typeof shapes;
  /** Of the stream; one where it is not said. */
  readonly partitions?: number;
}

/** As an application does, each stream is declared once: what reads one declaration reads and decodes it together. */
function once<Arguments extends readonly unknown[], Declared>(
  declare: (...of: Arguments) => Declared,
): (...of: Arguments) => Declared {
  const known = new Map<string, Declared>();
  return (...of) => {
    const name = JSON.stringify(of);
    if (!known.has(name)) known.set(name, declare(...of));
    return known.get(name)!;
  };
}

/** Made events of about 183 bytes. */
const madeFlights = once((name: string, partitions: number) =>
  stream(name, {
    schema: z.object({
      at: instant(),
      delay: z.int(),
      distance: z.int(),
      origin: z.string(),
      destination: z.string(),
      carrier: z.string(),
      flight: z.int(),
      aircraft: z.string(),
      cancelled: z.boolean(),
    }),
    eventTime: 'at',
    lateness: '6h',
    partitions,
    ...(partitions > 1 && { partitionBy: 'origin' as const }),
  }),
);

/** The events of the example's three million departures. */
const realFlights = once((name: string) =>
  stream(name, {
    schema: z.object({
      at: instant(),
      delay: z.int(),
      distance: z.int(),
      origin: z.string(),
      destination: z.string(),
    }),
    eventTime: 'at',
    lateness: '36h',
  }),
);

const scaled = (spec: ViewSpec, column: 'origin' | 'destination') =>
  view(spec.name, {
    from: madeFlights(spec.stream, spec.partitions ?? 1)
      .groupBy(column)
      .aggregate({ flights: count(), delay: sum('delay'), worstDelay: max('delay') }),
  });

const shapes = {
  /** Count, sum and greatest by key. */
  byOrigin: (spec: ViewSpec) =>
    view(spec.name, {
      from: madeFlights(spec.stream, 1)
        .groupBy('origin')
        .aggregate({ flights: count(), delay: sum('delay'), worstDelay: max('delay') }),
    }),
  /** The same by the column that the stream is partitioned by, and by another one: then all rows move. */
  stay: (spec: ViewSpec) => scaled(spec, 'origin'),
  move: (spec: ViewSpec) => scaled(spec, 'destination'),
  /** Rows that move, and what becomes of them as well. */
  moveTwice: (spec: ViewSpec) =>
    view(spec.name, {
      from: madeFlights(spec.stream, spec.partitions ?? 1)
        .groupBy('destination', 'carrier')
        .aggregate({ flights: count() })
        .groupBy('carrier')
        .aggregate({ airports: count(), flights: sum('flights') }),
    }),
  /** What the example shows of its airports. */
  delays: (spec: ViewSpec) =>
    view(spec.name, {
      from: realFlights(spec.stream)
        .groupBy('origin')
        .aggregate({ flights: count(), averageDelay: avg('delay'), worstDelay: max('delay') }),
    }),
  /** A query of the Nexmark suite, by its name; it reads the streams of the suite. */
  nexmark: (spec: ViewSpec) => nexmarkView(spec.name),
  /** Windows that overlap, by the name of what is measured. */
  hopping: (spec: ViewSpec) => hoppingView(spec),
  /** One operator over a table, by its name. */
  operator: (spec: ViewSpec) => operatorView(spec),
} as const;

export const declared = (spec: ViewSpec): ViewDeclaration =>
  declarationOf(shapes[spec.shape](spec) as { readonly declaration: ViewDeclaration });
