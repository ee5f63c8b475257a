import { visit } from '../../src/redis/visit.js';
import { describeWithRedis } from '../support/redis-server.js';
import { onServer } from './scripts/scripts.js';

describeWithRedis('a visit', () => {
  const { server, redis } = onServer();

  it('says why there is none', async () => {
    const refused = (address: string): Promise<Error> =>
      visit(address, async () => 'seen').then(
        () => new Error('it was seen'),
        (thrown: Error) => thrown,
      );
    expect((await refused('redis://127.0.0.1:1')).message).toContain('ECONNREFUSED');
    const unreachable = await refused('redis+cluster://127.0.0.1:1');
    expect(unreachable.message).toBe('none of the nodes that are named answers');
    expect(unreachable.cause).toBeInstanceOf(Error);
    expect((await refused(server().url.replace('redis:', 'redis+cluster:'))).message).toContain(
      'cluster support disabled',
    );
  });

  it('says that there is no such database, and looks at no other', async () => {
    const seen = visit(`${server().url}/99`, async () => 'seen');
    await expect(seen).rejects.toThrow('DB index is out of range');
  });

  it('is paid to the database that is named', async () => {
    const named = await visit(`${server().url}/3`, async ([first]) => {
      await first!.redis.set('a', 'b');
      return first!.redis.options.db;
    });
    expect(named).toBe(3);
    expect(await redis().dbsize()).toBe(0);
  });
});
