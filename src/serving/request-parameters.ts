import type { FastifyRequest } from 'fastify';
import { StillwaterError } from '../errors/stillwater-error.js';

/** The query of a request, in order and with repeats: `flights=gte.100&flights=lt.200` are two conditions. */
export function queryOf(request: FastifyRequest): [name: string, value: string][] {
  const url = request.raw.url ?? request.url;
  const start = url.indexOf('?');
  if (start === -1) return [];
  const parameters = [...new URLSearchParams(url.slice(start + 1))];
  for (const [name, value] of parameters)
    if (value.includes('\ufffd') || name.includes('\ufffd'))
      throw malformedUrl(`the value of "${name}" is not UTF-8, or holds U+FFFD`);
  return parameters;
}

/**
 * The path segments after a marker (`/rows/`), decoded one by one: a key's values may hold slashes, as `%2F`. The router
 * decodes before it splits, so that it cannot be asked.
 */
export function segmentsAfter(request: FastifyRequest, marker: string): string[] {
  const path = (request.raw.url ?? request.url).split('?', 1)[0]!;
  const start = path.indexOf(marker);
  const rest = start === -1 ? '' : path.slice(start + marker.length);
  return rest.split('/').map((segment) => {
    try {
      return decodeURIComponent(segment);
    } catch {
      throw malformedUrl(`"${segment}" is not percent-encoded UTF-8`);
    }
  });
}

/** The one value of a header. */
export function headerOf(request: FastifyRequest, name: string): string | null {
  const value = request.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

/** `Prefer: count=exact, wait=2` as a map. */
export function preferencesOf(request: FastifyRequest): Map<string, string> {
  const preferences = new Map<string, string>();
  for (const part of (headerOf(request, 'prefer') ?? '').split(/[,;]/)) {
    const [name, value = ''] = part.trim().split('=', 2) as [string, string?];
    if (name) preferences.set(name.toLowerCase(), value.replace(/^"|"$/g, ''));
  }
  return preferences;
}

/** @throws StillwaterError `unknown-parameter` if the request has a query parameter not named here. */
export function onlyParameters(request: FastifyRequest, names: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of queryOf(request)) {
    if (!names.includes(name)) throw unknownParameter(name, names);
    found.set(name, value);
  }
  return found;
}

export function unknownParameter(
  name: string,
  names: readonly string[],
  columns: readonly string[] | null = null,
): StillwaterError {
  return new StillwaterError('unknown-parameter', {
    what: columns ? `There is no parameter or column "${name}".` : `There is no parameter "${name}" here.`,
    evidence: `${columns ? `columns     ${columns.join(', ')}\n` : ''}parameters  ${names.join(', ') || 'none'}`,
    consequence: 'Nothing was done.',
    remedy: 'Correct the name, or leave it out: parameters are never ignored.',
  });
}

/** Of a parameter that is true or false; false, if it is not given. @throws StillwaterError `malformed-parameter` */
export function isTrue(name: string, text: string | undefined): boolean {
  if (text === 'true') return true;
  if (text === undefined || text === 'false') return false;
  throw new StillwaterError('malformed-parameter', {
    what: `"${name}" takes true or false.`,
    evidence: `${name}  ${text.slice(0, 100)}`,
    consequence: 'Nothing was done.',
    remedy: `Write ?${name}=true, or leave it out.`,
  });
}

/** A whole number within bounds. @throws StillwaterError `malformed-parameter` */
export function wholeNumber(name: string, text: string, from: number, to: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (value >= from && value <= to) return value;
  throw new StillwaterError('malformed-parameter', {
    what: `"${name}" must be a whole number from ${from.toLocaleString('en')} to ${to.toLocaleString('en')}.`,
    evidence: `${name}  ${text.slice(0, 100)}`,
    consequence: 'Nothing was read.',
    remedy:
      name === 'offset'
        ? 'To go further, follow the `Link: rel="next"` of each page.'
        : 'Correct the number.',
  });
}

function malformedUrl(reason: string): StillwaterError {
  return new StillwaterError('malformed-url', {
    what: 'The address cannot be read.',
    evidence: reason,
    consequence: 'Nothing was done.',
    remedy: 'Percent-encode names and values as UTF-8.',
  });
}
