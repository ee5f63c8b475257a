import { z } from 'zod';
import { partitionKeys, partitionOf } from '../../src/runtime/placement.js';
import { crc16, partitionOfText } from '../../src/zset/partition-of-text.js';
import { keyTextOfColumns } from '../../src/view/row-texts.js';
import { columnsOf, streamOf, tableOf } from '../support/declared.js';

describe('placement', () => {
  // For producers in other languages to check themselves by: CRC-16/XMODEM over UTF-8, and modulo 4. Python: binascii.crc_hqx(text.encode(), 0).
  it.each([
    ['123456789', 0x31c3, 3],
    ['', 0x0000, 0],
    ['ORD', 0x5101, 1],
    ['7', 0x46b4, 0],
    ['"7"', 0x7084, 0],
    ['null', 0x2b1d, 1],
    ['Zürich', 0xd52c, 0],
    ['東京', 0x7f1d, 1],
    ['😀', 0xcb8f, 3],
    ['["ORD","2001-01-01T05:00:00.000Z"]', 0x89bc, 0],
  ])('the text %j has the checksum %i and, of four, the partition %i', (text, checksum, partition) => {
    expect(crc16(text)).toBe(checksum);
    expect(partitionOfText(text, 4)).toBe(partition);
  });

  it('agrees with Redis Cluster on the slot of a key', () => {
    // CLUSTER KEYSLOT of a Redis server.
    expect(crc16('foo') % 16384).toBe(12182);
    expect(crc16('somekey') % 16384).toBe(11058);
  });

  it('names the partitions after the Redis key, and an only partition plainly', () => {
    expect(partitionKeys({ redisKey: 'flights', partitions: 1 })).toEqual(['flights']);
    expect(partitionKeys({ redisKey: 'flights', partitions: 3 })).toEqual([
      'flights:0',
      'flights:1',
      'flights:2',
    ]);
  });

  it('writes a key of one string column as it is, and any other as JSON', () => {
    const schema = z.object({
      code: z.string(),
      number: z.int(),
      note: z.string().optional(),
      kind: z.enum(['a', 'b']),
      at: z.object({ city: z.string() }),
    });
    const row = { code: 'ORD', number: 7, note: '7', kind: 'a', at: { city: 'Bern' } };
    const text = (...by: string[]) => keyTextOfColumns(columnsOf(schema), by)(row);
    expect(text('code')).toBe('ORD');
    expect(text('kind')).toBe('a');
    expect(text('at.city')).toBe('Bern');
    expect(text('number')).toBe('7');
    expect(text('note')).toBe('"7"');
    expect(text('code', 'number')).toBe('["ORD",7]');
  });

  it('places a stream by its partition key and a table by its key, where there is a choice', () => {
    const schema = z.object({ origin: z.string(), delay: z.int() });
    expect(partitionOf(streamOf('flights', schema, { partitionBy: ['origin'] }))).toBeNull();
    expect(partitionOf(streamOf('flights', schema, { partitions: 4 }))).toBeNull();
    expect(
      partitionOf(streamOf('flights', schema, { partitions: 4, partitionBy: ['origin'] }))!({
        origin: 'LAX',
        delay: 1,
      }),
    ).toBe(crc16('LAX') % 4);
    expect(
      partitionOf(tableOf('airports', schema, ['origin'], { partitions: 4 }))!({ origin: 'LAX', delay: 1 }),
    ).toBe(crc16('LAX') % 4);
  });
});
