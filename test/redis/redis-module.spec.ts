import { Test } from '@nestjs/testing';
import { RedisModule } from '../../src/redis/redis.module.js';
import { RedisTaskStore } from '../../src/redis/redis-task-store.js';
import { Registry } from '../../src/runtime/ports/registry.js';
import { SourceLog } from '../../src/runtime/ports/source-log.js';
import { TaskStore } from '../../src/runtime/ports/task-store.js';
import { ViewStore } from '../../src/runtime/ports/view-store.js';
import { Workers } from '../../src/runtime/ports/workers.js';
import { describeWithRedis } from '../support/redis-server.js';
import { onServer } from './scripts/scripts.js';

describeWithRedis('the Redis module', () => {
  const { redis, server } = onServer();

  it.each(['forRoot', 'forRootAsync'] as const)(
    'binds every port with %s, and closes its connections when the application ends',
    async (how) => {
      const options = { url: server().url, prefix: 'mine' };
      const imports = [
        how === 'forRoot'
          ? RedisModule.forRoot(options)
          : RedisModule.forRootAsync({ useFactory: () => options }),
      ];
      const app = await Test.createTestingModule({ imports }).compile();
      expect(await app.get(Registry).register('release')).toBe(1);
      expect(await redis().exists('mine:registry')).toBe(1);
      expect(await app.get(SourceLog).ends(['none'])).toHaveLength(1);
      expect(app.get(TaskStore)).toBeInstanceOf(RedisTaskStore);
      expect((await app.get(Workers).live()).live).toEqual([]);
      expect(await app.get(ViewStore).readers({ view: 'v', generation: 1, stage: 0, partition: 0 })).toEqual(
        new Map(),
      );
      expect(await ours()).toBeGreaterThan(0);
      await app.close();
      for (let tries = 0; (await ours()) > 0 && tries < 100; tries++)
        await new Promise((resolve) => setTimeout(resolve, 10));
      expect(await ours()).toBe(0);
    },
  );

  const ours = async (): Promise<number> =>
    String(await redis().client('LIST'))
      .split('\n')
      .filter((line) => line.includes('name=stillwater-')).length;
});
