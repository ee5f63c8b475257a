import { RedisConnections } from '../../src/redis/connections.js';
import { RedisServer } from './redis-server.js';

/** A private Redis for the tests of a block, and the connections of one process to it. */
export function connected(): { server: () => RedisServer; connections: () => RedisConnections } {
  let server: RedisServer;
  let connections: RedisConnections;
  beforeAll(async () => {
    server = await RedisServer.start();
    connections = new RedisConnections({ url: server.url });
  });
  afterAll(async () => {
    await connections.close();
    await server.stop();
  });
  return { server: () => server, connections: () => connections };
}
