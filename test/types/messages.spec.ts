import { resolve } from 'node:path';
import ts from 'typescript';

const PRELUDE = `
import { avg, computed, count, decimal, every, instant, joinText, max, median, percentile, stream, sum, table, tumbling, view } from 'stillwater';
import { z } from 'zod';
const flights = stream('flights', { schema: z.object({ at: instant(), delay: z.int(), origin: z.string(), tags: z.array(z.string()) }) });
const airports = table('airports', { schema: z.object({ iata: z.string(), code: z.int() }), key: 'iata' });
const byOrigin = flights.groupBy('origin').aggregate({ flights: count() });
const orders = stream('orders', { schema: z.discriminatedUnion('type', [
  z.object({ type: z.literal('Placed'), order: z.string() }), z.object({ type: z.literal('Paid'), order: z.string(), by: z.string() })]) });
const Order = z.object({ paid: z.boolean() });
const folded = orders.groupBy('order').evolve(Order, { paid: false });
`;

/** What the compiler says of a wrong line must contain the sentence. */
const WRONG: readonly (readonly [line: string, sentence: string])[] = [
  [`flights.groupBy('orign')`, 'There is no column \\"orign\\" to group by.'],
  [`flights.select({ where: 'orign' })`, 'There is no column \\"orign\\" to select.'],
  [`flights.select('origin')`, 'select takes the new columns by name'],
  [`flights.groupBy('origin').aggregate({ worst: max('dela') })`, 'There is no column \\"dela\\" to order.'],
  [
    `flights.groupBy('origin').aggregate({ total: sum('origin') })`,
    'Column \\"origin\\" does not hold numbers.',
  ],
  [`flights.groupBy('origin').aggregate({ most: max('tags') })`, 'Column \\"tags\\" holds objects or arrays'],
  [
    `flights.groupBy('origin').aggregate({ middle: median('dela') })`,
    'There is no column \\"dela\\" to rank.',
  ],
  [
    `flights.groupBy('origin').aggregate({ upper: percentile('origin', 0.9) })`,
    'Column \\"origin\\" does not hold numbers.',
  ],
  [
    `flights.groupBy('origin').aggregate({ text: joinText('delay') })`,
    'Column \\"delay\\" does not hold text.',
  ],
  [
    `flights.groupBy('origin').aggregate({ all: every('tags') })`,
    'Column \\"tags\\" does not hold booleans.',
  ],
  [
    `flights.groupBy('origin').aggregate({ origin: count() })`,
    'The group has a column \\"origin\\" already.',
  ],
  [`flights.unnest('origin', { as: 'letter' })`, 'Column \\"origin\\" does not hold an array.'],
  [
    `flights.join({ a: airports }, { on: { origin: 'code' } })`,
    'Column \\"origin\\" holds text and \\"code\\" holds numbers: they are never equal.',
  ],
  [`flights.join({ a: airports }, { on: { orign: 'iata' } })`, 'There is no column \\"orign\\" to join by.'],
  [
    `flights.join({ a: airports }, { on: { origin: 'iat' } })`,
    'There is no column \\"iat\\" on the joined side.',
  ],
  [
    `flights.join({ origin: airports }, { on: { origin: 'iata' } })`,
    'The rows have a column \\"origin\\" already',
  ],
  [`flights.join({ a: airports, b: airports }, { on: { origin: 'iata' } })`, 'A join names one side'],
  [`flights.union(airports)`, 'Only collections of equal rows can be united'],
  [
    `view('v', { from: byOrigin, key: 'destination' })`,
    'The rows have no column \\"destination\\" to be their key.',
  ],
  [`view('v', { from: flights })`, "Property 'key' is missing"],
  [
    `view('v', { from: byOrigin, indexes: ['flight.desc'] })`,
    'There is no column \\"flight.desc\\" to index',
  ],
  [`flights.where(async () => true)`, 'A view function gives its value at once; it cannot be async.'],
  [
    `flights.select({ late: computed(z.boolean(), async () => true) })`,
    'A view function gives its value at once; it cannot be async.',
  ],
  [
    `stream('s', { schema: z.object({ at: z.date() }) })`,
    'Column \\"at\\" holds a Date, which JSON cannot keep',
  ],
  [
    `stream('s', { schema: z.object({ id: z.bigint() }) })`,
    'Column \\"id\\" holds a bigint, which JSON cannot keep',
  ],
  [
    `stream('s', { schema: z.object({ m: z.map(z.string(), z.int()) }) })`,
    'Column \\"m\\" holds an object with behaviour',
  ],
  [
    `stream('s', { schema: z.object({ none: z.undefined() }) })`,
    'Column \\"none\\" holds nothing but undefined',
  ],
  [
    `stream('s', { schema: z.object({ at: z.number() }), eventTime: 'at' })`,
    'Column \\"at\\" does not always hold an instant',
  ],
  [
    `stream('s', { schema: z.object({ at: instant() }), eventTime: 'when' })`,
    'The events have no column \\"when\\"',
  ],
  [`flights.window(tumbling('1h'), { on: 'when' })`, 'There is no column \\"when\\" to window by.'],
  [`flights.window(tumbling('1h'), { on: 'delay' })`, 'Column \\"delay\\" does not hold instants'],
  [`flights.last('1h', { by: 'tags' })`, 'Column \\"tags\\" does not hold instants'],
  [
    `flights.select({ at: computed(z.date(), () => new Date(0)) })`,
    'This schema gives a Date, which JSON cannot keep',
  ],
  [
    `stream('s', { schema: z.object({ g: z.string(), price: decimal(2) }) }).groupBy('g').aggregate({ m: median('price') })`,
    'Column \\"price\\" does not hold numbers.',
  ],
  [
    `stream('s', { schema: z.object({ price: decimal(2) }) }).join({ a: airports }, { on: { price: 'iata' } })`,
    'Column \\"price\\" holds decimals and \\"iata\\" holds text: they are never equal.',
  ],
  [`orders.of('Pladed')`, 'There are no events of the type \\"Pladed\\".'],
  [`orders.of('Paid').of('Placed')`, 'There are no events of the type \\"Placed\\".'],
  [
    `flights.of('Placed')`,
    'of() takes events of one type out of a stream whose schema is z.discriminatedUnion(…).',
  ],
  [`folded.on({ Pladed: () => null })`, 'There are no events of the type \\"Pladed\\".'],
  [`folded.on({ Paid: async () => null })`, 'A view function gives its value at once; it cannot be async.'],
  [
    `flights.groupBy('origin').evolve(Order, { paid: false }).on({ Paid: () => null })`,
    'on() tells events by their type: the schema of the stream is z.discriminatedUnion(…), or write .with((state, event) => …).',
  ],
  [
    `orders.groupBy('order').evolve(z.object({ order: z.string() }), { order: '' })`,
    'The group has a column \\"order\\": leave it out of the state.',
  ],
  [
    `stream('s', { schema: z.object({ a: z.string() }), unknownTypes: 'skip' })`,
    'unknownTypes is for streams whose schema is z.discriminatedUnion(…).',
  ],
];

describe('the compiler', () => {
  const file = resolve('test/types/wrong-lines.ts');
  const text =
    PRELUDE +
    WRONG.map(([line]) => `export const _${WRONG.findIndex(([other]) => other === line)} = ${line};`).join(
      '\n',
    );
  const messages = new Map<number, string>();

  beforeAll(() => {
    const { options } = ts.parseJsonConfigFileContent(
      ts.readConfigFile('tsconfig.test.json', ts.sys.readFile).config,
      ts.sys,
      '.',
    );
    const host = ts.createCompilerHost(options);
    const { getSourceFile, fileExists, readFile } = host;
    host.getSourceFile = (name, ...rest) =>
      resolve(name) === file
        ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2023)
        : getSourceFile.call(host, name, ...rest);
    host.fileExists = (name) => resolve(name) === file || fileExists.call(host, name);
    host.readFile = (name) => (resolve(name) === file ? text : readFile.call(host, name));
    const program = ts.createProgram([file], { ...options, noEmit: true, types: [] }, host);
    const source = program.getSourceFile(file)!;
    const first = PRELUDE.split('\n').length - 1;
    for (const diagnostic of program.getSemanticDiagnostics(source)) {
      const line = source.getLineAndCharacterOfPosition(diagnostic.start!).line - first;
      messages.set(
        line,
        (messages.get(line) ?? '') + ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'),
      );
    }
  });

  it('has nothing against the right lines', () => {
    expect([...messages.keys()].filter((line) => line < 0)).toEqual([]);
  });

  it.each(WRONG)('refuses %s in a sentence', (line, sentence) => {
    expect(messages.get(WRONG.findIndex(([other]) => other === line)) ?? 'it compiles').toContain(sentence);
  });
});
