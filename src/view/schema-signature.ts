import type { z } from 'zod';
import { normalSource } from './function-source.js';

/**
 * A schema as canonical data: its structure, limits and defaults, and the normalised sources of its
 * refinements and transforms. Messages and descriptions do not count. What a refinement captures cannot be seen.
 */
export function schemaSignature(schema: z.core.$ZodType): unknown {
  return signatureOf(schema, []);
}

const IGNORED = ['error', 'message', 'abort', 'path', 'params', 'when'];

function signatureOf(value: unknown, above: readonly unknown[]): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === 'function') return normalSource(Function.prototype.toString.call(value));
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value !== 'object') return value;
  const depth = above.indexOf(value);
  if (depth >= 0) return { again: above.length - depth };
  const below = [...above, value];
  if ('_zod' in value) return signatureOf((value as z.core.$ZodType)._zod.def, below);
  if (value instanceof RegExp) return String(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Set || value instanceof Map) return [...value].map((item) => signatureOf(item, below));
  if (Array.isArray(value)) return value.map((item) => signatureOf(item, below));
  const { type, getter } = value as { type?: unknown; getter?: () => unknown };
  if (type === 'lazy' && typeof getter === 'function') return { type, inner: signatureOf(getter(), below) };
  const out: Record<string, unknown> = {};
  for (const name of Object.keys(value).sort()) {
    const field = (value as Record<string, unknown>)[name];
    if (field !== undefined && !IGNORED.includes(name)) out[name] = signatureOf(field, below);
  }
  return out;
}
