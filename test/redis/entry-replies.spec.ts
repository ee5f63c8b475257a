import { jest } from '@jest/globals';
import { EntriesCommand, EntryReplies } from '../../src/redis/entry-replies.js';
import type { RawEntry } from '../../src/runtime/ports/source-log.js';
import { connected } from '../support/connected.js';
import { describeWithRedis } from '../support/redis-server.js';

const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
const array = (parts: readonly string[]): string => `*${parts.length}\r\n${parts.join('')}`;
const replyOf = (entries: readonly RawEntry[]): string =>
  array(entries.map(([id, fields]) => array([bulk(id), array(fields.map(bulk))])));
const rangeOf = (): EntriesCommand => new EntriesCommand('flights', '-', '+', 10);

const ENTRIES: RawEntry[] = [
  ['1700000000000-0', ['data', '{"delay":3}']],
  ['1700000000000-1', ['data', '{"origin":"Zürich \u{1f6eb}","note":"\\r\\n$5\\r\\n"}']],
  ['1700000000001-0', ['origin', 'ORD', 'delay', '', 'data', '*2\r\n$3\r\n']],
  ['18446744073709551615-18446744073709551615', ['batch', '[]']],
];

/** What is answered when the bytes of replies come in these pieces: by ioredis, and read here. */
function answers(
  commands: readonly (EntriesCommand | 'other')[],
  pieces: readonly Buffer[],
): { passed: string; entries: (RawEntry[] | null)[]; failed: string[] } {
  const waiting = [...commands];
  const failed: string[] = [];
  let passed = '';
  let taken = 0;
  const replies = new EntryReplies({
    // What ioredis's parser does, as far as these replies need it: each of them is one line or one array without arrays.
    parse: (bytes) => {
      passed += bytes.toString('latin1');
      for (
        let whole;
        (whole = /^(?:[+:-][^\n]*\n|\*(\d+)\r\n(?:\$\d+\r\n[^$]*\r\n)*)/.exec(passed.slice(taken)));
      ) {
        if (whole[1] !== undefined && whole[0].split('$').length - 1 < Number(whole[1])) break;
        taken += whole[0].length;
        waiting.shift();
      }
    },
    command: () => waiting[0],
    fail: (why) => failed.push(why),
  });
  for (const piece of pieces) replies.take(piece);
  return {
    passed,
    entries: commands.flatMap((command) => (command === 'other' ? [] : [command.entries])),
    failed,
  };
}

function cutEvery(bytes: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

describe('replies that hold entries', () => {
  const others = ['+QUEUED\r\n', array([bulk('a'), bulk('bc')]), '-ERR no\r\n', ':12\r\n'];
  const stream = Buffer.from(
    others[0] +
      replyOf(ENTRIES) +
      others[1] +
      others[2] +
      replyOf([]) +
      replyOf(ENTRIES.slice(1)) +
      others[3],
  );

  it.each([1, 2, 3, 7, 16, 61, 100_000])('are read beside what else comes, in pieces of %i bytes', (size) => {
    const commands = ['other', rangeOf(), 'other', 'other', rangeOf(), rangeOf(), 'other'] as const;
    const { passed, entries, failed } = answers(commands, cutEvery(stream, size));
    expect(entries).toEqual([ENTRIES, [], ENTRIES.slice(1)]);
    expect(passed).toBe(`${others[0]}+OK\r\n${others[1]}${others[2]}+OK\r\n+OK\r\n${others[3]}`);
    expect(failed).toEqual([]);
  });

  it('are given as one text for all only where that is the same', () => {
    const ascii = ENTRIES.filter(([, [, text]]) => /^[\x00-\x7f]*$/.test(text!));
    const command = rangeOf();
    answers([command], [Buffer.from(replyOf(ascii))]);
    expect(command.entries).toEqual(ascii);
  });

  it('are not given as one text where they are very large: the largest would be longer than any text', () => {
    const large: RawEntry[] = ['1-0', '2-0', '3-0'].map((id) => [id, ['data', 'x'.repeat(6 << 20)]]);
    const command = rangeOf();
    const reply = Buffer.from(replyOf(large));
    const asText = jest.spyOn(Buffer.prototype, 'toString');
    answers([command], [reply]);
    const lengths = asText.mock.results.map(({ value }) => String(value).length);
    asText.mockRestore();
    expect(command.entries).toEqual(large);
    expect(Math.max(...lengths)).toBe(6 << 20);
  });

  it.each([1, 100])('that are errors are for ioredis, whatever they say, in pieces of %i bytes', (size) => {
    const command = rangeOf();
    const { passed, failed } = answers([command], cutEvery(Buffer.from('-WRONGTYPE *no stream\r\n'), size));
    expect(passed).toBe('-WRONGTYPE *no stream\r\n');
    expect(failed).toEqual([]);
    expect(command.entries).toBeNull();
  });

  it('that hold something else end the connection', () => {
    const { failed } = answers([rangeOf()], [Buffer.from(array([bulk('a'), bulk('b')]))]);
    expect(failed).toEqual(['the reply to XRANGE holds no entries']);
  });
});

describeWithRedis('a connection on which entries are read', () => {
  const { connections } = connected();

  it('gives what ioredis gives, after the connection was cut too, and answers other commands', async () => {
    const expected: RawEntry[] = [];
    for (let index = 0; index < 3_000; index++) {
      const fields =
        index % 7 === 0 ? ['origin', 'ORD', 'note', 'ü'.repeat(index % 50)] : ['data', `{"n":${index}}`];
      expected.push([`${index + 1}-0`, fields]);
    }
    const writer = connections().control;
    await Promise.all(expected.map(([id, fields]) => writer.xadd('flights', id, ...fields)));
    const read = async (): Promise<unknown> => {
      const range = new EntriesCommand('flights', '-', '+', 10_000);
      const [answer, length] = await Promise.all([
        connections().sources.sendCommand(range),
        connections().sources.xlen('flights'),
      ]);
      expect(length).toBe(expected.length);
      // Nothing is kept of what was read: commands live long.
      expect(answer).toBeNull();
      const entries = range.take();
      expect(range.entries).toBeNull();
      return entries;
    };
    expect(await read()).toEqual(expected);
    connections().replace('sources', 'cut by the test');
    await expect(
      connections()
        .sources.ping()
        .catch(() => connections().sources.ping()),
    ).resolves.toBe('PONG');
    expect(await read()).toEqual(expected);
    await writer.set('text', 'x');
    await expect(connections().sources.sendCommand(new EntriesCommand('text', '-', '+', 1))).rejects.toThrow(
      'WRONGTYPE',
    );
  });
});
