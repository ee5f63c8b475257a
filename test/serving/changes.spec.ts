import type { AddressInfo } from 'node:net';
import { row, servedApp, type ServedApp } from './served-app.js';

interface Message {
  type: string;
  id: string | undefined;
  data: any;
}

/** A client that collects what it is sent. */
class Client {
  readonly messages: Message[] = [];
  readonly #stop = new AbortController();
  #arrived: () => void = () => {};
  status = 0;

  static async open(url: string, headers: Record<string, string> = {}): Promise<Client> {
    const client = new Client();
    const reply = await fetch(url, { headers, signal: client.#stop.signal });
    client.status = reply.status;
    void client.#read(reply.body!).catch(() => {});
    return client;
  }

  /** The first messages, as soon as there are so many. */
  async take(count: number): Promise<Message[]> {
    const until = Date.now() + 10_000;
    while (this.messages.length < count) {
      if (Date.now() > until) throw new Error(`Only ${JSON.stringify(this.messages)} came.`);
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
        setTimeout(resolve, 100);
      });
    }
    return this.messages.slice(0, count);
  }

  close(): void {
    this.#stop.abort();
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let text = '';
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        const fields = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        const field = (name: string) =>
          fields.find((each) => each.startsWith(`${name}: `))?.slice(name.length + 2);
        const data = field('data');
        if (data !== undefined)
          this.messages.push({ type: field('event') ?? 'message', id: field('id'), data: JSON.parse(data) });
        this.#arrived();
      }
    }
  }
}

describe('GET /views/{view}/changes', () => {
  let served: ServedApp;
  let base: string;
  const clients: Client[] = [];
  const open = async (path: string, headers: Record<string, string> = {}) => {
    const client = await Client.open(base + path, headers);
    clients.push(client);
    return client;
  };

  beforeEach(async () => {
    served = await servedApp();
    await served.app.listen(0, '127.0.0.1');
    base = `http://127.0.0.1:${(served.app.getHttpServer().address() as AddressInfo).port}`;
    await served.writer('shop').put([row('a'), row('b', { kind: 'film' })]);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await served.close();
  });

  it('sends the rows as they are, and then each commit as one message', async () => {
    const client = await open('/views/shop/changes?snapshot=true&select=id,n');
    await client.take(2);
    await served.writer('shop').put([row('a', { n: 2 }), row('c')], { gone: ['b'] });
    const [snapshot, ready, change] = await client.take(3);
    expect(snapshot).toMatchObject({
      type: 'snapshot',
      data: { first: true, rows: [{ key: ['a'], row: { id: 'a', n: 1 } }, { key: ['b'] }] },
    });
    expect(ready).toMatchObject({ type: 'ready', id: '1.1~nonce-0' });
    expect(change).toEqual({
      type: 'message',
      id: '1.2~nonce-1',
      data: {
        changes: [
          { op: 'upsert', key: ['a'], row: { id: 'a', n: 2 } },
          { op: 'upsert', key: ['c'], row: { id: 'c', n: 1 } },
          { op: 'delete', key: ['b'] },
        ],
      },
    });
  });

  it('takes the filters of rows: what leaves the filter is deleted', async () => {
    const client = await open('/views/shop/changes?kind=eq.book&select=id');
    await client.take(1);
    await served.writer('shop').put([row('b', { kind: 'film', n: 9 })]);
    await served.writer('shop').put([row('a', { kind: 'song' }), row('b')]);
    const [, change] = await client.take(2);
    expect(change).toMatchObject({
      id: '1.3~nonce-2',
      data: {
        changes: [
          { op: 'delete', key: ['a'] },
          { op: 'upsert', key: ['b'] },
        ],
      },
    });
  });

  it('goes on after Last-Event-ID without a gap', async () => {
    const client = await open('/views/shop/changes');
    const [ready] = await client.take(1);
    client.close();
    await served.writer('shop').put([row('c')]);
    await served.writer('shop').put([row('d')]);
    const again = await open('/views/shop/changes?snapshot=true', { 'last-event-id': ready!.id! });
    const messages = await again.take(3);
    expect(messages.map(({ type, id }) => [type, id])).toEqual([
      ['message', '1.2~nonce-1'],
      ['message', '1.3~nonce-2'],
      ['ready', '1.3~nonce-2'],
    ]);
  });

  it('says resync for a position it cannot go on from, and when another generation serves', async () => {
    const old = await open('/views/shop/changes', { 'last-event-id': '7.1~nonce-0' });
    expect((await old.take(2)).map(({ type }) => type)).toEqual(['resync', 'ready']);
    const ahead = await open('/views/shop/changes', { 'last-event-id': '1.99~nonce-98' });
    expect((await ahead.take(1))[0]!.type).toBe('resync');
    const client = await open('/views/shop/changes?snapshot=true');
    await client.take(2);
    await served.serve('shop', 2);
    await served.writer('shop').put([row('z')]);
    const types = (await client.take(4)).map(({ type }) => type);
    expect(types).toEqual(['snapshot', 'ready', 'resync', 'snapshot']);
  });

  it('refuses what it cannot follow before it opens the stream', async () => {
    const reply = await fetch(`${base}/views/nobody/changes`);
    expect([reply.status, reply.headers.get('content-type')]).toEqual([
      404,
      expect.stringContaining('application/problem+json'),
    ]);
    expect(await (await fetch(`${base}/views/shop/changes?limit=3`)).json()).toMatchObject({
      status: 400,
      code: 'unknown-parameter',
    });
    expect(await (await fetch(`${base}/views/shop/changes?snapshot=maybe`)).json()).toMatchObject({
      status: 400,
    });
  });
});
