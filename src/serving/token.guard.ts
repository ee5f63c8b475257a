import { createHash, timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { StillwaterError } from '../errors/stillwater-error.js';
import { ResolvedServingOptions } from './serving-options.js';

/** Lets writes and administration through only with the token, where one is set. Reading is open. */
@Injectable()
export class TokenGuard implements CanActivate {
  readonly #expected: Buffer | null;

  constructor(options: ResolvedServingOptions) {
    this.#expected = options.token === null ? null : digest(options.token);
  }

  canActivate(context: ExecutionContext): boolean {
    if (this.#expected === null) return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (request.method === 'GET' || request.method === 'HEAD') return true;
    const [scheme, given] = (request.headers.authorization ?? '').split(/ +/, 2);
    // Digests have one length, so that the time of the comparison says nothing about the token.
    if (scheme?.toLowerCase() === 'bearer' && given && timingSafeEqual(digest(given), this.#expected))
      return true;
    throw new StillwaterError('unauthorized', {
      what: 'Writing and administration need the token of this service.',
      evidence: given ? 'The token given is another one.' : 'None was given.',
      consequence: 'Nothing was done.',
      remedy: 'Send `Authorization: Bearer …` with the value of STILLWATER_TOKEN.',
    });
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
