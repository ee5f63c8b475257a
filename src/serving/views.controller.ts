import { Controller, Delete, Get, HttpCode, Param, Req, Res, UseFilters, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { StillwaterError } from '../errors/stillwater-error.js';
import { dropView } from '../runtime/drop-view.js';
import { ViewStore } from '../runtime/ports/view-store.js';
import { errorsOf, lateRowsOf } from '../runtime/reading/errors-of-view.js';
import { Reading } from '../runtime/reading/reading.js';
import type { RowsQuery } from '../runtime/reading/rows-query.js';
import { keyPartsOf } from '../runtime/reading/view-description.js';
import type { ServedView } from '../runtime/reading/served-view.js';
import { keyTextOfValues } from '../zset/row-key.js';
import { coerceValue } from './coerce-value.js';
import { parseRowsQuery } from './parse-rows-query.js';
import { ProblemFilter } from './problem.filter.js';
import { projection } from './projection.js';
import { onlyParameters, preferencesOf, queryOf, segmentsAfter, wholeNumber } from './request-parameters.js';
import { ResolvedServingOptions } from './serving-options.js';
import { TokenGuard } from './token.guard.js';
import { ViewPage } from './view-page.js';
import { answerVersion, atLeastOf } from './view-responses.js';

/** What views there are, how they are doing, and their rows. */
@Controller('views')
@UseGuards(TokenGuard)
@UseFilters(ProblemFilter)
export class ViewsController {
  constructor(
    private readonly reading: Reading,
    private readonly store: ViewStore,
    private readonly options: ResolvedServingOptions,
    private readonly page: ViewPage,
  ) {}

  @Get()
  async list(@Req() request: FastifyRequest) {
    onlyParameters(request, []);
    return (await this.reading.statuses.all()).map((status) => this.page.summary(status));
  }

  @Get(':view')
  async view(@Param('view') name: string, @Req() request: FastifyRequest) {
    onlyParameters(request, []);
    return this.page.whole(await this.reading.statuses.one(name));
  }

  /** Only of a view that nobody declares any more. Workers delete what it holds. */
  @Delete(':view')
  @HttpCode(202)
  async drop(@Param('view') name: string, @Req() request: FastifyRequest) {
    onlyParameters(request, []);
    const { catalog, watch: registry, workers, clock } = this.reading.options;
    return { view: name, dropped: await dropView(name, { catalog: catalog(), registry, workers, clock }) };
  }

  @Get(':view/rows')
  async rows(
    @Param('view') name: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const view = await this.reading.views.get(name);
    const wanted = parseRowsQuery(view, queryOf(request), this.options.limits);
    await this.#reach(view, request, wanted.atLeast);
    const page = await this.reading.reader.read(view, wanted.query);
    if (answerVersion(request, reply, view, page.records)) return this.#notModified(reply);
    const exact = preferencesOf(request).get('count') === 'exact';
    const total = exact ? await this.#count(view, wanted.query, page.records) : '*';
    const range = rangeOf(wanted.query, page.rows.length);
    // Of `*/*` the grammar knows nothing.
    if (range !== '*' || total !== '*') void reply.header('content-range', `${range}/${total}`);
    if (exact) void reply.header('preference-applied', 'count=exact');
    if (page.next !== null) void reply.header('link', `<${nextUrl(request, page.next)}>; rel="next"`);
    return page.rows.map(({ row }) => wanted.project(row));
  }

  @Get(':view/rows/*')
  async row(
    @Param('view') name: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const view = await this.reading.views.get(name);
    const given = onlyParameters(request, ['select', 'atLeast']);
    const project = projection(given.get('select') ?? null, view.description);
    const key = keyFrom(view, segmentsAfter(request, '/rows/'));
    await this.#reach(view, request, given.get('atLeast') ?? null);
    const { row, records } = await this.reading.reader.row(view, key);
    if (answerVersion(request, reply, view, records) && row !== null) return this.#notModified(reply);
    if (row !== null) return project(row);
    void reply.removeHeader('etag');
    throw new StillwaterError('unknown-row', {
      what: `View "${name}" has no row under this key.`,
      evidence: keyPartsOf(view.description)
        .map(({ path }, index) => `${path}  ${segmentsAfter(request, '/rows/')[index]}`)
        .join('\n'),
      consequence: 'Nothing was read.',
      remedy: 'No action, or wait for a position: ?atLeast=… with Prefer: wait=2',
    });
  }

  @Get(':view/errors')
  async errors(@Param('view') name: string, @Req() request: FastifyRequest) {
    const { view, limit } = await this.#listed(name, request);
    return errorsOf(this.store, view, limit);
  }

  @Get(':view/late')
  async late(@Param('view') name: string, @Req() request: FastifyRequest) {
    const { view, limit } = await this.#listed(name, request);
    return lateRowsOf(this.store, view, limit);
  }

  /** Of which generation something kept for people is asked for, and how much of it. */
  async #listed(name: string, request: FastifyRequest): Promise<{ view: ServedView; limit: number }> {
    const parameters = onlyParameters(request, ['limit', 'generation']);
    const [limit, number] = [parameters.get('limit'), parameters.get('generation')];
    const view =
      number === undefined
        ? await this.reading.views.get(name)
        : await this.reading.views.generation(
            name,
            wholeNumber('generation', number, 1, Number.MAX_SAFE_INTEGER),
          );
    const { errorsLimitDefault, errorsLimitMax } = this.options.limits;
    return {
      view,
      limit: limit === undefined ? errorsLimitDefault : wholeNumber('limit', limit, 1, errorsLimitMax),
    };
  }

  async #reach(view: ServedView, request: FastifyRequest, parameter: string | null): Promise<void> {
    const atLeast = atLeastOf(request, parameter);
    if (atLeast) await this.reading.wait.until(view, atLeast.token, atLeast.waitMs);
  }

  /** Of all rows it is known; of those a filter finds, all must be looked at. */
  async #count(
    view: ServedView,
    query: RowsQuery,
    records: readonly ({ rows: number } | null)[],
  ): Promise<number> {
    if (query.where === null) return records.reduce((sum, record) => sum + (record?.rows ?? 0), 0);
    return this.reading.reader.count(view, query);
  }

  #notModified(reply: FastifyReply): undefined {
    void reply.status(304);
    return undefined;
  }
}

/** Which rows these are. After a cursor that is not known: how many lie before it changes while pages are read. */
const rangeOf = ({ offset, after }: RowsQuery, rows: number): string =>
  after !== null || rows === 0 ? '*' : `${offset}-${offset + rows - 1}`;

/** The key text that path segments name, one for each column of the key. */
function keyFrom(view: ServedView, segments: readonly string[]): string {
  const parts = keyPartsOf(view.description);
  if (segments.length !== parts.length)
    throw new StillwaterError('malformed-key', {
      what: `A key of view "${view.generation.view}" has ${parts.length} path segment${parts.length === 1 ? '' : 's'}.`,
      evidence: `key    ${parts.map(({ path }) => path).join('/')}\ngiven  ${segments.join(' / ')}`,
      consequence: 'Nothing was read.',
      remedy: 'Give one segment per column, percent-encoded: a slash within a value is %2F.',
    });
  return keyTextOfValues(
    parts.map(({ path, type }, index) => {
      const text = segments[index]!;
      return type.nullable && text === 'null' ? null : coerceValue(path, type, text);
    }),
    parts,
  );
}

/** The same request with the cursor of the next page: relative, so that it holds behind any proxy. */
function nextUrl(request: FastifyRequest, cursor: string): string {
  const [path, query = ''] = (request.raw.url ?? request.url).split('?', 2) as [string, string?];
  const parameters = new URLSearchParams(query);
  parameters.delete('offset');
  parameters.set('cursor', cursor);
  return `${path}?${parameters.toString()}`;
}
