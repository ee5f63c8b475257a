import { Controller, Get, HttpCode, Param, Post, Req, Res, UseFilters, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { StillwaterError } from '../errors/stillwater-error.js';
import { Reading } from '../runtime/reading/reading.js';
import { Rebuilds } from '../runtime/rebuilds.js';
import { ProblemFilter } from './problem.filter.js';
import { isTrue, onlyParameters } from './request-parameters.js';
import { TokenGuard } from './token.guard.js';

const STEPS = ['pause', 'resume', 'cancel', 'promote'] as const;

/** Replaying a view into a new generation, and proving that a replay equals the live one. */
@Controller()
@UseGuards(TokenGuard)
@UseFilters(ProblemFilter)
export class RebuildsController {
  constructor(
    private readonly rebuilds: Rebuilds,
    private readonly reading: Reading,
  ) {}

  @Post('views/:view/rebuilds')
  @HttpCode(202)
  async start(
    @Param('view') view: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const parameters = onlyParameters(request, ['acceptTrimmed']);
    const acceptTrimmed = isTrue('acceptTrimmed', parameters.get('acceptTrimmed'));
    this.#known(view);
    const status = await this.rebuilds.start(view, { acceptTrimmed });
    void reply.header('location', `/rebuilds/${encodeURIComponent(status.id)}`);
    return status;
  }

  @Get('views/:view/rebuilds')
  async ofView(@Param('view') view: string, @Req() request: FastifyRequest) {
    onlyParameters(request, []);
    this.#known(view);
    return this.rebuilds.list(view);
  }

  @Get('rebuilds')
  async list(@Req() request: FastifyRequest) {
    onlyParameters(request, []);
    return this.rebuilds.list(null);
  }

  @Get('rebuilds/:id')
  async get(@Param('id') id: string, @Req() request: FastifyRequest) {
    onlyParameters(request, []);
    return this.#rebuild(id);
  }

  @Post('rebuilds/:id/:step')
  @HttpCode(200)
  async step(@Param('id') id: string, @Param('step') step: string, @Req() request: FastifyRequest) {
    onlyParameters(request, []);
    const known = STEPS.find((each) => each === step);
    if (!known)
      throw new StillwaterError('unknown-route', {
        what: `A rebuild cannot be told to "${step}".`,
        evidence: `steps  ${STEPS.join(', ')}`,
        consequence: 'Nothing was done.',
        remedy: 'POST one of these.',
      });
    await this.#rebuild(id);
    return this.rebuilds[known](id);
  }

  @Post('views/:view/rollback')
  @HttpCode(200)
  async rollback(@Param('view') view: string, @Req() request: FastifyRequest) {
    onlyParameters(request, []);
    this.#known(view);
    return { serving: await this.rebuilds.rollback(view) };
  }

  @Post('views/:view/verifications')
  @HttpCode(202)
  async verify(
    @Param('view') view: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    onlyParameters(request, []);
    this.#known(view);
    const status = await this.rebuilds.startVerify(view);
    void reply.header('location', `/verifications/${encodeURIComponent(status.id)}`);
    return status;
  }

  @Get('verifications/:id')
  async verification(@Param('id') id: string, @Req() request: FastifyRequest) {
    onlyParameters(request, []);
    return this.#verification(id);
  }

  @Post('verifications/:id/cancel')
  @HttpCode(200)
  async cancelVerification(@Param('id') id: string, @Req() request: FastifyRequest) {
    onlyParameters(request, []);
    await this.#verification(id);
    return this.rebuilds.cancelVerify(id);
  }

  async #verification(id: string) {
    const status = await this.rebuilds.getVerify(id);
    if (status) return status;
    throw new StillwaterError('unknown-verification', {
      what: `There is no verification "${id}".`,
      consequence: 'Nothing was done.',
      remedy: 'Start one: POST /views/{view}/verifications',
    });
  }

  async #rebuild(id: string) {
    const status = await this.rebuilds.get(id);
    if (status) return status;
    throw new StillwaterError('unknown-rebuild', {
      what: `There is no rebuild "${id}".`,
      consequence: 'Nothing was done.',
      remedy: 'See GET /rebuilds.',
    });
  }

  #known(view: string): void {
    if (!this.reading.views.names().includes(view)) throw this.reading.views.unknown(view);
  }
}
