import { visit } from '../../src/redis/visit.js';
import { describeWithRedis } from '../support/redis-server.js';
import { onServer } from './scripts/scripts.js';

describeWithRedis('a visit', () => {
  const { server } = onServer();

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
});
