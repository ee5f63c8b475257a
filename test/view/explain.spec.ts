import { z } from 'zod';
import { explainView } from '../../src/view/explain.js';
import { streamOf, tableOf } from '../support/declared.js';
import { aggregate, distinct, join, source, viewOf, where } from '../support/plans.js';

const flights = streamOf('flights', z.object({ origin: z.string(), delay: z.int() }));
const airports = tableOf('airports', z.object({ iata: z.string(), city: z.string() }), ['iata']);
const byOrigin = aggregate(
  where(source(flights), (flight) => flight.delay > 0),
  { origin: 'origin' },
  { n: { kind: 'count' }, worst: { kind: 'max', value: 'delay' } },
);

describe('explaining a view', () => {
  it('says of each operator what it reads, what it costs and what it keeps', () => {
    const view = viewOf(
      'delays',
      join(byOrigin, source(airports), 'airport', { origin: 'iata' }),
      ['origin'],
      ['n.desc'],
    );
    const { operators, text } = explainView(view);
    expect(
      operators.map(({ number, op, inputs, cost, growth }) => [number, op, inputs, cost, growth]),
    ).toEqual([
      [1, 'source', [], 'O(|Δ|)', 'none'],
      [2, 'where', [1], 'O(|Δ|)', 'none'],
      [3, 'aggregate', [2], 'O(|Δ|)', 'one entry per group'],
      [4, 'source', [], 'O(|Δ|)', 'grows with the table'],
      [5, 'join', [3, 4], 'O(|Δ| · matches)', 'grows with its input'],
      [6, 'view', [5], 'O(|Δ| log n)', 'one entry per key'],
    ]);
    expect(text).toContain('by origin: n = count(), worst = max(delay)');
    expect(text).toContain('indexed by n.desc');
  });

  it('shows what grows for ever: rows of a stream kept in a join or to be distinct', () => {
    const growth = (plan: Parameters<typeof viewOf>[1], op: string) =>
      explainView(viewOf('v', plan, ['origin'])).operators.find((one) => one.op === op)!.growth;
    expect(growth(join(source(flights), source(airports), 'airport', { origin: 'iata' }), 'join')).toBe(
      'grows for ever',
    );
    expect(growth(distinct(source(flights)), 'distinct')).toBe('grows for ever');
    expect(growth(distinct(byOrigin), 'distinct')).toBe('grows with its input');
  });

  it('shows what is as large as its group', () => {
    const collected = aggregate(
      source(flights),
      { origin: 'origin' },
      { delays: { kind: 'collect', value: 'delay' } },
    );
    expect(explainView(viewOf('v', collected, ['origin'])).operators[1]).toMatchObject({
      cost: 'holistic: O(group)',
      growth: 'one entry per value of a group',
    });
  });
});
