import { Command } from 'ioredis';
import { EncodedCall, encodeCommand } from '../../../src/redis/scripts/encoded-call.js';
import { Random } from '../../support/random.js';

const byIoredis = (name: string, args: string[]): string =>
  Buffer.from(new Command(name, args).toWritable({} as never)).toString('latin1');

const idle = { writableLength: 0, destroyed: false };
const encoded = (name: string, args: string[]): string => encodeCommand(name, args, idle).toString('latin1');

describe('an encoded call is, byte by byte, what ioredis would have sent', () => {
  test('for arguments of every length of header', () => {
    const args = [0, 1, 9, 10, 99, 100, 101, 999, 1_000, 1_009, 9_999, 10_000, 10_001, 100_000].map(
      (length) => 'x'.repeat(length),
    );
    expect(encoded('evalsha', args)).toBe(byIoredis('evalsha', args));
  });

  test('for characters of several bytes, also where they make the length one digit longer', () => {
    const args = [
      '',
      'ü',
      '€',
      '😀',
      'é'.repeat(5),
      'é'.repeat(9),
      'aé'.repeat(499),
      '€'.repeat(3_334),
      '\ud83d',
      '\0',
    ];
    expect(encoded('evalsha', args)).toBe(byIoredis('evalsha', args));
  });

  test('for calls larger than any before, and small ones after them', () => {
    const large = Array.from({ length: 40 }, (_, index) => '€ü'.repeat(20_000 + index));
    for (const args of [['a'], large, ['b', 'c'], []])
      expect(encoded('evalsha', args)).toBe(byIoredis('evalsha', args));
  });

  test('and it goes to where its keys are', () => {
    const all = ['hash', '3', '{tag}:a', '{tag}:b', '{tag}:c', 'x', 'y'];
    const [call, sent] = [new EncodedCall(all), new Command('evalsha', all)];
    expect([call.getKeys(), call.getSlot()]).toEqual([['{tag}:a'], sent.getSlot()]);
    expect(call.toWritable(idle).toString()).toBe(sent.toWritable({} as never));
    expect(new EncodedCall(['hash', '0', 'x']).getKeys()).toEqual([]);
  });

  test('and lets go of what it was sent with once it is answered', async () => {
    const call = new EncodedCall(['hash', '1', 'key', 'x'.repeat(1_000)]);
    expect(call.toWritable(idle).length).toBeGreaterThan(1_000);
    call.resolve([Buffer.from('COMMITTED')]);
    expect(await call.promise).toEqual(['COMMITTED']);
    expect(call.toWritable(idle).length).toBeLessThan(100);
  });

  test('for random texts', () => {
    const random = new Random(7);
    const characters = ['a', '7', '"', '\r\n', 'ß', '中', '𝄞', '\udc00'];
    const character = (): string => characters[random.below(characters.length)]!;
    for (let round = 0; round < 200; round++) {
      const args = Array.from({ length: random.below(20) }, () =>
        Array.from({ length: random.below(1_200) }, character).join(''),
      );
      expect(encoded('evalsha', args)).toBe(byIoredis('evalsha', args));
    }
  });
});

describe('where a large call is encoded', () => {
  const large = ['one'.repeat(30_000)];
  const idleAgain = (): Buffer => encodeCommand('evalsha', large, idle);
  const sockets = [
    ['is still to be sent', { writableLength: 10, destroyed: false }],
    ['may be in the hands of a socket that broke', { writableLength: 0, destroyed: true }],
  ] as const;

  test('the next one is too, when all of it was sent', () => {
    expect(idleAgain().buffer).toBe(idleAgain().buffer);
  });

  test.each(sockets)('nothing else is written while it %s', (_, socket) => {
    for (const next of [large.map((text) => text.replaceAll('o', 'a')), ['something small']]) {
      const before = encodeCommand('evalsha', large, socket);
      const text = before.toString();
      for (let calls = 0; calls < 3; calls++) encodeCommand('evalsha', next, idle);
      expect(before.toString()).toBe(text);
    }
  });

  test('small ones are too, of which any number may wait for a slow socket', () => {
    const room = idleAgain().buffer;
    const waiting = ['a', 'b', 'c'].map(
      (text) => [text, encodeCommand('evalsha', [text], sockets[0][1])] as const,
    );
    expect(idleAgain().buffer).toBe(room);
    for (const [text, bytes] of waiting) expect(bytes.toString('latin1')).toBe(byIoredis('evalsha', [text]));
  });
});
