import {
  Controller,
  Param,
  Req,
  Sse,
  SseSignal,
  UseFilters,
  UseGuards,
  type MessageEvent,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Observable } from 'rxjs';
import type { FeedMessage } from '../runtime/reading/change-feed.js';
import { matches } from '../runtime/reading/matches.js';
import { Reading } from '../runtime/reading/reading.js';
import { keyPartsOf } from '../runtime/reading/view-description.js';
import { readPath } from '../zset/row-key.js';
import type { Row, Value } from '../zset/value.js';
import { parseRowsQuery } from './parse-rows-query.js';
import { ProblemFilter } from './problem.filter.js';
import { headerOf, isTrue, queryOf } from './request-parameters.js';
import { ResolvedServingOptions } from './serving-options.js';
import { TokenGuard } from './token.guard.js';
import { atLeastOf } from './view-responses.js';

/** `comment` is of Nest's server-sent events; its type does not say so in every release. */
type Message = MessageEvent & { comment?: string };

/** Ends the client's memory of an id: what it says next time must not be continued from before. */
const NO_ID = '';

/**
 * A view's changes, live.
 *
 *   (unnamed)  {"changes":[{"op":"upsert","key":[…],"row":{…}},{"op":"delete","key":[…]}]}   one message per commit
 *   snapshot   {"rows":[…],"first":true}    with ?snapshot=true: the rows as they are, in one or several messages
 *   ready      {}                           all up to here has been said
 *   resync     {"reason":"…"}               forget what you have: it cannot be joined to what follows
 *
 * `id:` names generation and the commit of each partition; a client that comes back with `Last-Event-ID` goes on there.
 */
@Controller('views')
@UseGuards(TokenGuard)
@UseFilters(ProblemFilter)
export class ChangesController {
  constructor(
    private readonly reading: Reading,
    private readonly options: ResolvedServingOptions,
  ) {}

  @Sse(':view/changes')
  async changes(
    @Param('view') name: string,
    @Req() request: FastifyRequest,
    @SseSignal() gone: AbortSignal,
  ): Promise<Observable<Message>> {
    const view = await this.reading.views.get(name);
    const wanted = parseRowsQuery(view, queryOf(request), this.options.limits, ['snapshot', 'after']);
    const snapshot = isTrue('snapshot', wanted.others.get('snapshot'));
    const atLeast = atLeastOf(request, wanted.atLeast);
    if (atLeast) await this.reading.wait.until(view, atLeast.token, atLeast.waitMs);
    const after = headerOf(request, 'last-event-id') || wanted.others.get('after') || null;
    const stop = new AbortController();
    const messages = this.reading.feed.follow(name, {
      after,
      snapshot,
      signal: AbortSignal.any([gone, stop.signal]),
    });
    const fits = matches(wanted.query.where);
    const keys = keyPartsOf(view.description).map(({ path }) => readPath(path));
    const keyOf = (row: Row): Value[] => keys.map((read) => read(row));
    // Everything that can be refused is refused before the first byte.
    const first = await messages.next();
    return new Observable<Message>((subscriber) => {
      const { keepAliveMs, reconnectMs } = this.options.limits;
      // Headers go out with the first message; a comment leaves the client's `Last-Event-ID` as it is.
      subscriber.next({ comment: name } as Message);
      const keepAlive = setInterval(() => subscriber.next({ comment: '' } as Message), keepAliveMs);
      const run = async (): Promise<void> => {
        for (let next = first; !next.done; next = await messages.next()) {
          const message = this.#message(next.value, fits, keyOf, wanted.project, reconnectMs);
          if (message) subscriber.next(message);
        }
      };
      run().then(
        () => subscriber.complete(),
        // The client opens the connection anew, and is then told what is wrong.
        () => subscriber.complete(),
      );
      return () => {
        clearInterval(keepAlive);
        stop.abort();
      };
    });
  }

  #message(
    message: FeedMessage,
    fits: (row: Row) => boolean,
    keyOf: (row: Row) => Value[],
    project: (row: Row) => Row,
    retry: number,
  ): Message | null {
    switch (message.kind) {
      case 'snapshot': {
        const rows = message.rows
          .filter(({ row }) => fits(row))
          .map(({ row }) => ({ key: keyOf(row), row: project(row) }));
        return { type: 'snapshot', id: NO_ID, data: { first: message.first, rows } };
      }
      case 'ready':
        return { type: 'ready', id: message.id, retry, data: {} };
      case 'resync':
        return { type: 'resync', id: NO_ID, data: { reason: message.reason } };
      case 'changes': {
        const changes = message.changes.flatMap(({ before, after }) => {
          if (after && fits(after)) return [{ op: 'upsert', key: keyOf(after), row: project(after) }];
          return before && fits(before) ? [{ op: 'delete', key: keyOf(before) }] : [];
        });
        return changes.length > 0 ? { id: message.id, data: { changes } } : null;
      }
    }
  }
}
