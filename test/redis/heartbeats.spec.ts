import { Keyspace } from '../../src/redis/keyspace.js';
import { RedisSourceLog } from '../../src/redis/redis-source-log.js';
import { connected } from '../support/connected.js';
import { describeWithRedis } from '../support/redis-server.js';

describeWithRedis('reading entries and heartbeats', () => {
  const { server, connections } = connected();

  it('an entry never comes without the heartbeat recorded before it, whatever comes between two commands', async () => {
    const [redisKey, through] = ['flights', 'range'] as const;
    const other = server().client();
    const writer = new RedisSourceLog(connections(), new Keyspace());
    const { sources } = connections();
    for (let place = 0; place < 3; place++) {
      await other.del(redisKey);
      await other.xadd(redisKey, '1-0', 'a', '1');
      await writer.read({ redisKey, position: '0-0', entriesRead: 0, countMax: 9, through });
      // Before the command at this place a heartbeat is recorded, and then an entry appended.
      let commands = 0;
      const send = sources.sendCommand.bind(sources);
      const reader = new RedisSourceLog(connections(), new Keyspace());
      const queue: Promise<unknown>[] = [];
      sources.sendCommand = ((command: never, stream: never) => {
        if (commands++ !== place) return send(command, stream);
        const injected = (async () => {
          await writer.recordHeartbeat({ redisKey, anchor: '1-0', mode: 'moving', clock: 50 });
          await other.xadd(redisKey, '2-0', 'a', '2');
        })();
        queue.push(injected);
        return injected.then(() => send(command, stream));
      }) as typeof sources.sendCommand;
      const outcome = await reader
        .read({ redisKey, position: '1-0', entriesRead: 1, countMax: 9, through, heartbeats: true })
        .finally(() => (sources.sendCommand = send));
      await Promise.all(queue);
      expect(outcome.status).toBe('read');
      if (outcome.status !== 'read') continue;
      const next = outcome.entries.some(([id]) => id === '2-0');
      const heard = outcome.heartbeats!.some(({ anchor, clock }) => anchor === '1-0' && clock === 50);
      expect(next && !heard).toBe(false);
      await other.del(new Keyspace().heartbeats(redisKey));
    }
  });
});
