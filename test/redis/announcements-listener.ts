import { RedisConnections } from '../../src/redis/connections.js';
import { redisPorts } from '../../src/redis/redis.module.js';

/** Says when it hears an announcement. `announcements-listener.ts <url>` */
const { workers } = redisPorts(new RedisConnections({ url: process.argv[2]! }));
workers.onAnnouncement(() => console.log('heard'));
setInterval(() => {}, 1_000);
