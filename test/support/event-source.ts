import { eventually } from './system.js';

export interface ServerEvent {
  event: string;
  id: string | null;
  data: any;
}

/** A client of server-sent events: remembers all it is told. */
export class EventSource {
  readonly events: ServerEvent[] = [];
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  /** As the standard has it: the last id that was given, an empty one forgotten. */
  lastEventId: string | null = null;
  closed = false;

  constructor(url: string, lastEventId: string | null = null) {
    this.lastEventId = lastEventId;
    this.#done = this.#read(url, lastEventId).catch(() => {});
    void this.#done.then(() => (this.closed = true));
  }

  /** The messages of a name so far; commits have none. */
  of(event: string): ServerEvent[] {
    return this.events.filter((each) => each.event === event);
  }

  /** Waits for at least so many messages of a name. */
  async wait(event: string, least = 1, withinMs = 15_000): Promise<ServerEvent[]> {
    await eventually(() => this.of(event).length >= least, withinMs);
    return this.of(event);
  }

  /** The rows that snapshots and changes add up to, by key. */
  rows(): Map<string, any> {
    const rows = new Map<string, any>();
    for (const { event, data } of this.events) {
      if (event === 'snapshot') {
        if (data.first) rows.clear();
        for (const { key, row } of data.rows) rows.set(JSON.stringify(key), row);
      }
      if (event === 'message')
        for (const { op, key, row } of data.changes)
          if (op === 'upsert') rows.set(JSON.stringify(key), row);
          else rows.delete(JSON.stringify(key));
    }
    return rows;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #read(url: string, lastEventId: string | null): Promise<void> {
    const response = await fetch(url, {
      headers: { accept: 'text/event-stream', ...(lastEventId !== null && { 'last-event-id': lastEventId }) },
      signal: this.#stop.signal,
    });
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body!) {
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        this.#take(text.slice(0, end));
        text = text.slice(end + 2);
      }
    }
  }

  #take(block: string): void {
    let event = 'message';
    const data: string[] = [];
    let id: string | null = null;
    for (const line of block.split('\n')) {
      const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line)!;
      if (field === 'event') event = value!;
      if (field === 'data') data.push(value!);
      if (field === 'id') id = value!;
    }
    if (id !== null) this.lastEventId = id === '' ? null : id;
    if (data.length > 0) this.events.push({ event, id, data: JSON.parse(data.join('\n')) });
  }
}
