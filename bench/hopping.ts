/**
 * `npm run bench:hopping`: what a row costs that is in sixty windows, with what is kept by panes and with what is kept by windows.
 * See README.md.
 */
import { parseArgs } from 'node:util';
import type { Redis } from 'ioredis';
import type { ViewSpec } from './declared-views.js';
import { hoppingSubjects, viewNameOf } from './hopping-views.js';
import { endOf, load } from './load.js';
import { RedisServer } from './redis-server.js';
import { inSubject } from './subject-process.js';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '20000' },
    groups: { type: 'string', default: '20' },
    'every-ms': { type: 'string', default: '500' },
    only: { type: 'string' },
  },
});
const [events, groups, everyMs] = [values.events, values.groups, values['every-ms']].map(Number) as [
  number,
  number,
  number,
];
const WITHIN_MS = 900_000;
const WARMING = 4_000;

function* made(from: number, to: number): Generator<string> {
  for (let n = from; n < to; n++)
    yield JSON.stringify({
      at: new Date(Date.UTC(2026, 0, 1) + n * everyMs).toISOString(),
      key: `key-${(n * 7_919) % groups}`,
      value: (n * 104_729) % 1_000_003,
    });
}

/** Of all that a prefix holds beside the rows that are shown. */
async function stateBytes(client: Redis, prefix: string): Promise<number> {
  let bytes = 0;
  for await (const keys of client.scanStream({ match: `{${prefix}:*:[ko]:*`, count: 1_000 }))
    for (const key of keys as string[]) bytes += (await client.memory('USAGE', key)) ?? 0;
  return bytes;
}

const sent = async (client: Redis): Promise<number> =>
  Number(/total_net_input_bytes:(\d+)/.exec(await client.info('stats'))![1]);

const server = await RedisServer.start({ aof: false });
process.once('SIGINT', () => process.exit(1));
try {
  const client = server.client();
  await load(client, 'warming', made(0, WARMING));
  await load(client, 'events', made(0, events));
  const end = await endOf(client, 'events');
  console.log(
    `${events} events of ${groups} groups, one every ${everyMs} ms; each in 2, 5 or 60 windows that begin once a minute\n` +
      `${'view'.padEnd(44)}${['events/s', 'written/event', 'kept bytes'].map((head) => head.padStart(15)).join('')}`,
  );
  for (const name of hoppingSubjects) {
    if (values.only && !name.includes(values.only)) continue;
    const prefix = `bench-${viewNameOf(name)}`;
    await inSubject(async (subject) => {
      const specOf = (stream: string): ViewSpec => ({ name: viewNameOf(name), stream, shape: 'hopping' });
      const start = (stream: string) =>
        subject.call('start', { url: server.url, prefix: `${prefix}-${stream}`, views: [specOf(stream)] });
      await start('warming');
      await subject.call('maintained', {
        stream: 'warming',
        end: await endOf(client, 'warming'),
        withinMs: WITHIN_MS,
      });
      await subject.call('stop', null);
      const before = await sent(client);
      await start('events');
      const { ms } = await subject.call('maintained', { stream: 'events', end, withinMs: WITHIN_MS });
      const written = ((await sent(client)) - before) / events;
      const kept = await stateBytes(client, `${prefix}-events`);
      console.log(
        name.padEnd(44) +
          [(events / ms) * 1_000, written, kept]
            .map((figure) => Math.round(figure).toLocaleString('en').padStart(15))
            .join(''),
      );
      await subject.call('stop', null);
    });
  }
} finally {
  await server.stop();
}
