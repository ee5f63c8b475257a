import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Put,
  Req,
  Res,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { StillwaterError } from '../errors/stillwater-error.js';
import { encodeTombstone, encodeUpsert } from '../runtime/encode-record.js';
import { Reading } from '../runtime/reading/reading.js';
import type { TableDeclaration } from '../view/declarations.js';
import { answerAppend } from './answer-append.js';
import { AppendRecords } from './append-records.js';
import { ProblemFilter } from './problem.filter.js';
import { rowOf } from './read-body.js';
import { onlyParameters, segmentsAfter } from './request-parameters.js';
import { SourcePage } from './source-page.js';
import { TokenGuard } from './token.guard.js';

/** The tables that views read, and writing their rows. */
@Controller('tables')
@UseGuards(TokenGuard)
@UseFilters(ProblemFilter)
export class TablesController {
  constructor(
    private readonly reading: Reading,
    private readonly records: AppendRecords,
    private readonly page: SourcePage,
  ) {}

  @Get()
  async list(@Req() request: FastifyRequest) {
    onlyParameters(request, []);
    return this.page.all([...this.reading.views.catalog.tables.values()]);
  }

  @Get(':table')
  async table(@Param('table') name: string, @Req() request: FastifyRequest) {
    onlyParameters(request, []);
    return (await this.page.all([this.#table(name)]))[0];
  }

  @Put(':table/rows/*')
  @HttpCode(202)
  async put(
    @Param('table') name: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    onlyParameters(request, []);
    const table = this.#table(name);
    const entry = encodeUpsert(table, segmentsAfter(request, '/rows/'), rowOf(body));
    return answerAppend(this.records, table, [entry], { request, reply });
  }

  @Delete(':table/rows/*')
  @HttpCode(202)
  async delete(
    @Param('table') name: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    onlyParameters(request, []);
    const table = this.#table(name);
    const entry = encodeTombstone(table, segmentsAfter(request, '/rows/'));
    return answerAppend(this.records, table, [entry], { request, reply });
  }

  #table(name: string): TableDeclaration {
    const { catalog } = this.reading.views;
    const table = catalog.tables.get(name);
    if (table) return table;
    throw new StillwaterError('unknown-table', {
      what: `There is no table "${name}".`,
      evidence: `tables  ${[...catalog.tables.keys()].join(', ') || 'none'}`,
      consequence: 'Nothing was done.',
      remedy: catalog.streams.has(name)
        ? `"${name}" is a stream: POST /streams/${name}/events`
        : 'Use one of these names, or declare it and let a view read it.',
    });
  }
}
