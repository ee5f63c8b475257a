import { createHash, timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { StillwaterError } from '../errors/stillwater-error.js';
import { ResolvedServingOptions } from './serving-options.js';

/**
 * Lets writes and administration through only with the token, where one is set. Reading is open.
 *
 * Without a token the service is for programs of this machine. A browser there runs pages of anybody, who can make it
 * send requests: so what comes from a page of another origin is refused, and so are the bodies that a page may send
 * without being asked for permission.
 */
@Injectable()
export class TokenGuard implements CanActivate {
  readonly #expected: Buffer | null;

  constructor(options: ResolvedServingOptions) {
    this.#expected = options.token === null ? null : digest(options.token);
  }

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (request.method === 'GET' || request.method === 'HEAD') return true;
    refuseForms(request);
    if (this.#expected === null) {
      refuseOtherOrigins(request);
      return true;
    }
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

function refuseForms({ headers }: FastifyRequest): void {
  const type = (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  if (!FORMS.has(type)) return;
  throw new StillwaterError('unsupported-media-type', {
    what: `A body of the type ${type} is not read here.`,
    evidence: `content-type  ${type}`,
    consequence: 'Nothing was done.',
    remedy:
      'Send JSON as application/json (`curl --json` does; `curl -d` sends a form), or lines of JSON as application/x-ndjson.',
  });
}

function refuseOtherOrigins({ headers }: FastifyRequest): void {
  const { origin, host } = headers;
  if (origin === undefined || (URL.canParse(origin) && new URL(origin).host === host)) return;
  throw new StillwaterError('other-origin', {
    what: 'Writes from a page of another origin are refused.',
    evidence: `origin  ${origin}\nhost    ${host}`,
    consequence: 'Nothing was done.',
    remedy: 'Set STILLWATER_TOKEN and send it, or send the request from a program instead of a page.',
  });
}

/** What a page may send to another origin without asking. */
const FORMS: ReadonlySet<string> = new Set([
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'text/plain',
]);

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
