import { Test } from '@nestjs/testing';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Redis } from 'ioredis';
import {
  type Declared,
  type HttpOptions,
  servingAdapter,
  StillwaterModule,
} from '../../src/stillwater.module.js';
import type { Limits } from '../../src/runtime/limits.js';
import type { RedisServer } from '../support/redis-server.js';
import { eventually } from '../support/system.js';

export interface Reply {
  status: number;
  body: any;
  headers: Record<string, unknown>;
}

/** The whole product in this process over a private Redis, asked over HTTP without a socket. */
export class Product {
  private constructor(
    readonly app: NestFastifyApplication,
    readonly client: Redis | null,
  ) {}

  static async start(
    redis: RedisServer | string,
    views: readonly Declared[],
    http: Partial<HttpOptions> = {},
    limits: Partial<Limits> = {},
  ): Promise<Product> {
    const module = await Test.createTestingModule({
      imports: [
        StillwaterModule.forRoot({
          connection: typeof redis === 'string' ? redis : redis.url,
          views,
          http: { token: null, standalone: true, ...http },
          limits: { leaseMs: 1_000, registryRefreshMs: 100, parkedRetryMs: 200, retryMsMax: 100, ...limits },
        }),
      ],
    }).compile();
    const app = module.createNestApplication<NestFastifyApplication>(servingAdapter(), { logger: false });
    try {
      await app.init();
    } catch (thrown) {
      await app.close().catch(() => {});
      throw thrown;
    }
    return new Product(app, typeof redis === 'string' ? null : redis.client());
  }

  async ask(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    payload?: string | object,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const reply = await this.app.inject({
      method,
      url,
      headers: { ...(payload !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(payload !== undefined && { payload }),
    });
    return {
      status: reply.statusCode,
      body: reply.body === '' ? null : reply.json(),
      headers: reply.headers,
    };
  }

  get(url: string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.ask('GET', url, undefined, headers);
  }

  /** Plain `XADD`, as any language may do it. */
  xadd(stream: string, ...fields: string[]): Promise<string | null> {
    return this.client!.xadd(stream, '*', ...fields);
  }

  /** Waits until a view contains all that its streams hold. */
  async caughtUp(view: string): Promise<void> {
    await eventually(async () => {
      const { body } = await this.get(`/views/${view}`);
      return body.lag?.entries === 0 && body.state === 'live';
    }, 15_000);
  }

  async stop(): Promise<void> {
    await this.app.close();
  }
}

/** A problem with all that a stranger needs to act. */
export const problem = (status: number, code: string, evidence?: RegExp): object => ({
  status,
  body: expect.objectContaining({
    status,
    code,
    what: expect.stringMatching(/\w/),
    remedy: expect.stringMatching(/\w/),
    ...(evidence && { detail: expect.stringMatching(evidence) }),
  }),
});
