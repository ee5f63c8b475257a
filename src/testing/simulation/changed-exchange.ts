import { decodeEntry, encodeEntry, type ExchangeEntry } from '../../runtime/exchange-entry.js';
import { EXCHANGE, type Heard, heardIn } from '../../runtime/followed.js';
import type { RawEntry } from '../../runtime/ports/source-log.js';
import type { Received, ReceiveRequest, TaskRecord } from '../../runtime/ports/task-store.js';
import type { TaskId } from '../../runtime/task-id.js';
import type { MemoryRedis } from '../memory/memory-redis.js';
import { MemoryTaskStore } from '../memory/memory-task-store.js';
import { type PortsOver, withTasks } from './mutation.js';

/** What is stored of tasks, changed for whoever asks. */
export const withRecords = (
  change: (record: TaskRecord, task: TaskId, redis: MemoryRedis) => TaskRecord,
): PortsOver =>
  withTasks((redis) => {
    const store = new MemoryTaskStore(redis);
    const status = store.status.bind(store);
    store.status = async (tasks) =>
      (await status(tasks)).map(({ record, ...rest }) => ({
        ...rest,
        record: record && change(record, rest.task, redis),
      }));
    return store;
  });

/** What is stored of each of their senders. */
export const withHeard = (change: (heard: Heard, redis: MemoryRedis, sender: number) => Heard): PortsOver =>
  withRecords((record, _task, redis) => {
    const heard = heardIn(record);
    return heard
      ? hearing(
          record,
          heard.map((one, sender) => change(one, redis, sender)),
        )
      : record;
  });

/** A record that says other things of those it hears of. */
export const hearing = <R extends Pick<TaskRecord, 'extra'>>(record: R, heard: readonly Heard[]): R => ({
  ...record,
  extra: { ...record.extra, [EXCHANGE]: heard },
});

/** What tasks receive, changed on its way. */
export const withReceived = (change: (received: Received, request: ReceiveRequest) => Received): PortsOver =>
  withTasks((redis) => {
    const store = new MemoryTaskStore(redis);
    const receive = store.receive.bind(store);
    store.receive = async (requests) =>
      (await receive(requests)).map((received, index) => change(received, requests[index]!));
    return store;
  });

/** An entry that says something else. */
export const changed = ([id, fields]: RawEntry, said: Partial<ExchangeEntry>): RawEntry => [
  id,
  ['c', encodeEntry({ ...decodeEntry([id, fields]), ...said })],
];
