import {
  Body,
  Controller,
  Get,
  HttpCode,
  Param,
  Post,
  Req,
  Res,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { StillwaterError } from '../errors/stillwater-error.js';
import { Clock } from '../runtime/clock.js';
import { encodeEvents } from '../runtime/encode-record.js';
import { Reading } from '../runtime/reading/reading.js';
import { answerAppend } from './answer-append.js';
import { AppendRecords } from './append-records.js';
import { ProblemFilter } from './problem.filter.js';
import { eventsOf } from './read-body.js';
import { onlyParameters } from './request-parameters.js';
import { SourcePage } from './source-page.js';
import { TokenGuard } from './token.guard.js';

/** The streams that views read, and appending to them. */
@Controller('streams')
@UseGuards(TokenGuard)
@UseFilters(ProblemFilter)
export class StreamsController {
  constructor(
    private readonly reading: Reading,
    private readonly records: AppendRecords,
    private readonly page: SourcePage,
    private readonly clock: Clock,
  ) {}

  @Get()
  async list(@Req() request: FastifyRequest) {
    onlyParameters(request, []);
    return this.page.all([...this.reading.views.catalog.streams.values()]);
  }

  @Get(':stream')
  async stream(@Param('stream') name: string, @Req() request: FastifyRequest) {
    onlyParameters(request, []);
    return (await this.page.all([this.#stream(name)]))[0];
  }

  @Post(':stream/events')
  @HttpCode(202)
  async append(
    @Param('stream') name: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    onlyParameters(request, []);
    const stream = this.#stream(name);
    const entries = encodeEvents(stream, eventsOf(body), { now: this.clock.now() });
    return answerAppend(this.records, stream, entries, { request, reply });
  }

  #stream(name: string) {
    const { catalog } = this.reading.views;
    const stream = catalog.streams.get(name);
    if (stream) return stream;
    throw new StillwaterError('unknown-stream', {
      what: `There is no stream "${name}".`,
      evidence: `streams  ${[...catalog.streams.keys()].join(', ') || 'none'}`,
      consequence: 'Nothing was done.',
      remedy: catalog.tables.has(name)
        ? `"${name}" is a table: PUT /tables/${name}/rows/{key}`
        : 'Use one of these names, or declare it and let a view read it.',
    });
  }
}
