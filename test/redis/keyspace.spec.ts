import { Keyspace, tagOf, TAGS } from '../../src/redis/keyspace.js';

const task = (view: string, partition = 0, generation = 1) => ({ view, generation, stage: 0, partition });

describe('the keys of a task', () => {
  const keyspace = new Keyspace('app');

  it('share one hash tag', () => {
    const one = task('delays-by-airport', 2, 3);
    const keys = [
      keyspace.task(one),
      keyspace.changes(one),
      keyspace.readers(one),
      keyspace.subscribed(one),
      keyspace.keyed(one, 'rows', 5),
      keyspace.ordered(one, '2.groups', 6),
      keyspace.index(one, 'index.0'),
    ];
    expect(new Set(keys.map(tagOf)).size).toBe(1);
    expect(keys[0]).toMatch(/^\{app:\d+\}:delays-by-airport#3\/0\.2:task$/);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('lie in as many slots as a view has partitions', () => {
    const tags = Array.from({ length: 8 }, (_, partition) => tagOf(keyspace.task(task('v', partition))));
    expect(new Set(tags).size).toBe(8);
  });

  it('use no more tags than there are, and most of them', () => {
    const tags = new Set(
      Array.from({ length: 1_000 }, (_, index) => tagOf(keyspace.task(task(`view-${index}`)))),
    );
    expect(tags.size).toBeLessThanOrEqual(TAGS);
    expect(tags.size).toBeGreaterThan(TAGS * 0.9);
  });

  it('can be listed, state by state', () => {
    const one = task('v');
    expect([...keyspace.state(one, 'rows', 'keyed', 3)]).toEqual(
      [0, 1, 2].map((bucket) => keyspace.keyed(one, 'rows', bucket)),
    );
    expect([...keyspace.state(one, '2.groups', 'ordered', 2)]).toEqual(
      [0, 1].map((bucket) => keyspace.ordered(one, '2.groups', bucket)),
    );
    expect([...keyspace.state(one, 'index.0', 'index', 3)]).toEqual([keyspace.index(one, 'index.0')]);
  });
});

describe('with which entries readers of a stream began', () => {
  it.each(['orders', 'orders:3', '{tenant}:orders', 'a{b}c', 'open{'])(
    'is kept in the slot of the stream %s, by itself',
    (redisKey) => {
      const key = new Keyspace('app').begun(redisKey);
      expect(tagOf(key)).toBe(tagOf(redisKey));
      expect(key).toContain(`:begun:${redisKey}`);
    },
  );
});

describe('the memory of an append', () => {
  it.each(['orders', 'orders:3', '{tenant}:orders', 'a{b}c', 'open{'])(
    'lies in the slot of the stream %s',
    (redisKey) => {
      const key = new Keyspace('app').append(redisKey, 'key');
      expect(tagOf(key)).toBe(tagOf(redisKey));
      expect(key).toContain(':append:key');
    },
  );
});
